export * from './brand.js';
export * from './bytes.js';
export * from './catalogue.js';
export * from './check.js';
export * from './errors.js';
export * from './ids.js';
export * from './ports.js';
export * from './units.js';
