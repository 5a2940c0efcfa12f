export { ContributeModule } from './contribute.module.js';
export { ContributionService } from './contribute.service.js';
export { ContributionType } from './contribute.types.js';
