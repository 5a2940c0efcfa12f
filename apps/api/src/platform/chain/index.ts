export * from './chain-identity.js';
