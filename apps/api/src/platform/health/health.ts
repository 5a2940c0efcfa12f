import { Controller, Get, Injectable, Res } from '@nestjs/common';
import { toUsufructError, type ErrorCode } from '@usufruct/kernel';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/index.js';
import { PrismaService } from '../prisma/index.js';

export type ReadinessCheck = () => Promise<void> | void;

/** Each part registers what must hold before this process can serve; a check that throws says why by its code. */
@Injectable()
export class Readiness {
  private readonly checks = new Map<string, ReadinessCheck>();
  constructor(prisma: PrismaService) {
    this.register('database', async () => {
      await prisma.$queryRaw`select 1`;
    });
  }
  register(name: string, check: ReadinessCheck): void {
    this.checks.set(name, check);
  }
  async failures(): Promise<Record<string, ErrorCode>> {
    const failures: Record<string, ErrorCode> = {};
    for (const [name, check] of this.checks) {
      try {
        await check();
      } catch (error) {
        failures[name] = toUsufructError(error).code;
      }
    }
    return failures;
  }
}

@Public()
@Controller()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** The process runs. */
  @Get('healthz')
  healthz(): { status: string } {
    return { status: 'ok' };
  }

  /** It can serve: the database answers and the projection follows the chain. */
  @Get('readyz')
  async readyz(@Res({ passthrough: true }) reply: FastifyReply): Promise<{ status: string; failures: object }> {
    const failures = await this.readiness.failures();
    const ready = Object.keys(failures).length === 0;
    if (!ready) void reply.status(503);
    return { status: ready ? 'ready' : 'not ready', failures };
  }
}
