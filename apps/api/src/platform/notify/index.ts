export * from './contact.resolver.js';
export * from './contacts.js';
export * from './mail.js';
export * from './notices.js';
export * from './public-address.js';
export * from './webhook.js';
