import { defineConfig } from 'prisma/config';

/** For Prisma's own CLI, where there is an internet; `npm run db:migrate` does the same on the same folder without. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? '' },
});
