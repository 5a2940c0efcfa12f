export { GovernanceModule } from './governance.module.js';
export { LicenceTermsType } from './proposal-effect.types.js';
export { ProposalService } from './proposal.service.js';
export { ProposalType } from './proposal.types.js';
