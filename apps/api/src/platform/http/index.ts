export * from './json-client.js';
