export * from './projection.module.js';
export * from './projection.service.js';
export * from './projector.js';
