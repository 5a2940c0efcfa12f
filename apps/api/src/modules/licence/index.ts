export { LicenceModule } from './licence.module.js';
