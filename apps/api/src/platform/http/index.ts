export * from './json-client.js';
export * from './open-lines.js';
