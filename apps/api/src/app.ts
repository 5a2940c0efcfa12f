import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from '@usufruct/kernel';
import { AppModule } from './app.module.js';
import { ProjectionService } from './modules/projection/index.js';
import { OutboxService } from './platform/outbox/index.js';
import type { Outside } from './platform/tokens.js';

/** Sealed questions are the largest thing that a client sends here: 16 KiB, as base64 in JSON. */
const BODY_LIMIT_BYTES = 256 * 1024;

/** Everything wired and nothing started: what tests build on. */
export async function createApp(outside: Outside): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(outside), adapter, {
    logger: nestLogger(outside.logger),
    abortOnError: false,
  });
  app.enableCors({
    origin: [...outside.config.origins],
    methods: ['GET', 'POST', 'OPTIONS'],
    allowedHeaders: ['content-type', 'authorization'],
    maxAge: 600,
  });
  return app;
}

/** In order: the queue's tables, the projection (which fills the queue), the queue's work, the door. */
export async function startApp(app: NestFastifyApplication, port: number, host: string): Promise<void> {
  await app.init();
  await app.get(OutboxService).prepare();
  app.get(ProjectionService).start();
  await app.get(OutboxService).start();
  await app.listen(port, host);
}

/** The door first, so that nothing new begins; then what was begun is left in a state that a restart takes up. */
export async function stopApp(app: NestFastifyApplication): Promise<void> {
  await app.get(OutboxService).stop();
  await app.get(ProjectionService).stop();
  await app.close();
}

/** Nest's own messages: faults only, and without their text, which may repeat what a user sent. */
const nestLogger = (logger: Logger): LoggerService => ({
  log: () => undefined,
  warn: (_message: unknown, ...rest: unknown[]) => logger.warn('framework', { context: contextOf(rest) }),
  error: (_message: unknown, ...rest: unknown[]) => logger.error('framework', { context: contextOf(rest) }),
});
const contextOf = (rest: readonly unknown[]): string => {
  const last = rest.at(-1);
  return typeof last === 'string' && last.length < 64 ? last : 'nest';
};
