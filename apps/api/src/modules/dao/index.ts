export { DaoModule } from './dao.module.js';
export { DaoService } from './dao.service.js';
export * from './dao.types.js';
