export { StoreModule } from './store.module.js';
export * from './store.types.js';
