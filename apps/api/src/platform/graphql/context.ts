import type { FastifyRequest } from 'fastify';
import type { Viewer } from '../auth/viewer.js';
import { Loaders } from './loaders.js';

/** One GraphQL operation: who asks (once the guard knows) and what was loaded for it. */
export interface GraphqlContext {
  /** The value of `Authorization`, from the HTTP request or from the WebSocket's connection_init. */
  readonly authorization: string | undefined;
  readonly loaders: Loaders;
  /** Undefined until the guard has looked; null for nobody. */
  viewer?: Viewer | null;
}

export const httpContext = (request: FastifyRequest): GraphqlContext => ({
  authorization: request.headers.authorization,
  loaders: new Loaders(),
});

/** A WebSocket is one context for all its subscriptions; the payload of connection_init is what the client sent. */
export function socketContext(payload: unknown): GraphqlContext {
  const given = typeof payload === 'object' && payload !== null && 'authorization' in payload && payload.authorization;
  return { authorization: typeof given === 'string' ? given : undefined, loaders: new Loaders() };
}
