export * from './api-keys.js';
export * from './auth.guard.js';
export * from './auth.resolver.js';
export * from './challenges.js';
export * from './keys.js';
export * from './sessions.js';
export * from './viewer.js';
