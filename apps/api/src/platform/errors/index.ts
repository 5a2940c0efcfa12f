export * from './error.filter.js';
export * from './families.js';
export * from './format.js';
export * from './refusal.types.js';
