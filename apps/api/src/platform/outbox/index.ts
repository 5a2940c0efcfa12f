export * from './outbox.service.js';
