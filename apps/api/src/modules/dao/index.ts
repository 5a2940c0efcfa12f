export { DaoModule } from './dao.module.js';
export { DaoService } from './dao.service.js';
export type { ProjectedDao } from './dao.mapper.js';
export * from './dao.types.js';
export * from './governance.types.js';
export { MembershipService } from './membership.service.js';
export { RoleEnum } from './membership.types.js';
export { PolicyChangeUnion, toPolicyChange, type PolicyChangeType } from './policy-history.types.js';
