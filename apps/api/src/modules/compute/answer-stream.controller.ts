import { Readable } from 'node:stream';
import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { HttpViewer, RequireScope, type Viewer } from '../../platform/auth/index.js';
import { AnswerStreams } from './answer-streams.js';

/** Answers in pieces (protocol: answer-stream). What passes here is sealed to the asker: sizes and times are all that shows. */
@Controller('v1/jobs')
export class AnswerStreamController {
  constructor(private readonly streams: AnswerStreams) {}

  @RequireScope('ask')
  @Get(':jobId/questions/:questionId/stream')
  async stream(
    @HttpViewer() viewer: Viewer,
    @Param('jobId') jobId: string,
    @Param('questionId') questionId: string,
    @Query('after') after: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const lines = await this.streams.open(viewer.address, { jobId, questionId, after });
    // Nginx and its like hold back what they do not know to be a stream.
    const headers = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
    await reply.headers(headers).send(Readable.from(lines));
  }
}
