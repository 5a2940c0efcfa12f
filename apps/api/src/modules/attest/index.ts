export { AttestModule } from './attest.module.js';
