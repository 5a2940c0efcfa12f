export * from './body.js';
export * from './fault.js';
export * from './listen.js';
export * from './routes.js';
export * from './run-service.js';
export * from './serve-http.js';
export * from './settings.js';
export * from './sui-event-file.js';
