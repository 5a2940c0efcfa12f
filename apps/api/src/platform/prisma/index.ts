export * from './columns.js';
export * from './insert-rows.js';
export * from './prisma.service.js';
export { Prisma } from './generated/client.js';
