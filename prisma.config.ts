import { defineConfig } from 'prisma/config';

/** For Prisma's own command line; the project itself applies migrations with `npm run db:migrate`. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://localhost/usufruct' },
});
