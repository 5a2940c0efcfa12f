import { Catch, Inject, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { GqlArgumentsHost, type GqlContextType } from '@nestjs/graphql';
import { refuse, toUsufructError, type Logger, type UsufructError } from '@usufruct/kernel';
import { getNamedType, GraphQLError, isUnionType, type GraphQLResolveInfo } from 'graphql';
import { LOGGER } from '../tokens.js';
import type { FastifyReply } from 'fastify';
import { describeFault } from '@usufruct/service';
import { toRefusalValue } from './refusal.types.js';

/** An error of ours in GraphQL's clothes: the code, the remedy and the details travel as extensions. */
export const toGraphqlError = (error: UsufructError): GraphQLError =>
  new GraphQLError(error.message, {
    extensions: { code: error.code, remedy: error.entry.remedy, details: error.details },
    originalError: error,
  });

/**
 * What a resolver (or its guard) throws: where the field's type is a union with refusals, an expected no becomes a
 * value of it; everything else becomes an error, and what is not ours becomes `INTERNAL`.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): unknown {
    const error = thrown instanceof NotFoundException ? refuse('NOT_FOUND') : toUsufructError(thrown);
    if (error.code === 'INTERNAL') this.logger.error('internal_error', describeFault(thrown));
    if (host.getType<GqlContextType>() !== 'graphql') {
      return host.switchToHttp().getResponse<FastifyReply>().status(error.entry.http).send(error.toWire());
    }
    const info = GqlArgumentsHost.create(host).getInfo<GraphQLResolveInfo>();
    const refusal = toRefusalValue(error);
    if (refusal !== null && info.operation.operation !== 'subscription' && isUnionType(getNamedType(info.returnType))) {
      return refusal;
    }
    return toGraphqlError(error);
  }
}
