export * from './accounts.js';
export * from './allocate.js';
export * from './book.js';
export * from './epochs.js';
export * from './journal.js';
export * from './openings.js';
export * from './payouts.js';
export * from './storage.js';
