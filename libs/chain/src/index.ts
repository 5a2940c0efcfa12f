export * from './follow-events.js';
export * from './local-chain-client.js';
export * from './open-chain.js';
export * from './port.js';
export * from './prepare.js';
export * from './signers.js';
export * from './stand-ins.js';
export * from './sui/open.js';
export * from './sui/publish/package-digest.js';
export * from './sui/publish/publish-transactions.js';
export * from './sui/publish/publisher.js';
export * from './sui/settings.js';
export * from './sui/sui-chain.js';
export * from './sui/transactions/sponsor.js';
export type * from './sui/events/event-source.js';
export { EVENT_LAYOUTS, type MoveEventName } from './sui/layout/events.js';
export type { MoveStruct, MoveType, ValueOf } from './sui/layout/move-types.js';
/** The objects of our package as Sui stores them. */
export * as suiObjects from './sui/layout/objects.js';
