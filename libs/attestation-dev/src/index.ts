export { DEV_BANNER } from './banner.js';
export { createDevPki, loadDevPki, DEV_PKI_FILES } from './dev-pki.js';
export type { DevPki, DevPkiFiles } from './dev-pki.js';
export { measureFiles } from './measure.js';
export type { MeasuredFile } from './measure.js';
export { signSoftwareQuote, SoftwareTee } from './software-tee.js';
export type { SoftwareTeeOptions } from './software-tee.js';
