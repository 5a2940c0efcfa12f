export * from './budget.js';
export * from './curve.js';
export * from './epsilon.js';
export * from './subsampled-gaussian.js';
