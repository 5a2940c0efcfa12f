import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import type { Config } from '../config/config.js';
import { CONFIG } from '../tokens.js';
import { PrismaClient, type Prisma } from './generated/client.js';

/** A transaction, or the client itself where there is none. */
export type Database = Prisma.TransactionClient;

@Injectable()
export class PrismaService extends PrismaClient implements OnModuleDestroy {
  constructor(@Inject(CONFIG) config: Config) {
    super({ adapter: new PrismaPg({ connectionString: config.databaseUrl, max: 20 }) });
  }
  async onModuleDestroy(): Promise<void> {
    await this.$disconnect();
  }
}
