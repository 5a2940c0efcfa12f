export { sealApprovalsOf, type SealAccess } from './access.js';
export { openSecrets, type OpenedSecrets, type OpenParams, type SecretWanted } from './open-secrets.js';
export { secretSealer } from './seal-secret.js';
export { keyServersFrom, SEAL_SETTINGS, sealSettings, type KeyServerSetting, type SealSettings } from './settings.js';
