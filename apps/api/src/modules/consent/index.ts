export { ConsentModule } from './consent.module.js';
export { ConsentService, type IntendedUse, type Usability } from './consent.service.js';
export { LeftOut } from './consent.types.js';
