import type { DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { Logger } from '@usufruct/kernel';
import { specifiedRules, validate } from 'graphql';
import { formatErrors } from '../errors/index.js';
import { LOGGER } from '../tokens.js';
import { httpContext, socketContext } from './context.js';
import { QUERY_LIMITS, queryLimitsRule } from './limits.js';
import { withDefaults } from './variable-defaults.js';

/** After so many uses a query's text is compiled. */
const COMPILE_AFTER = 1;

const options = (logger: Logger): Omit<MercuriusDriverConfig, 'driver'> => ({
  autoSchemaFile: true,
  sortSchema: true,
  path: '/graphql',
  graphiql: false,
  jit: COMPILE_AFTER,
  context: httpContext,
  validationRules: [queryLimitsRule],
  graphql: { parseOptions: { maxTokens: QUERY_LIMITS.tokens } },
  errorFormatter: (execution) => formatErrors(execution, logger),
  subscription: { onConnect: ({ payload }) => socketContext(payload) },
  hooks: {
    preExecution: (schema, document, _context, variables) => {
      const complete = withDefaults(schema, document, variables ?? {});
      return complete === variables ? undefined : { variables: complete };
    },
    // Subscriptions come past the server's validation; the same rules hold for them.
    preSubscriptionExecution: async (schema, document) => {
      const [flaw] = validate(schema, document, [...specifiedRules, queryLimitsRule]);
      if (flaw === undefined) return;
      const [formatted] = formatErrors({ errors: [flaw] }, logger).response.errors;
      throw Object.assign(new Error(formatted?.message), { extensions: formatted?.extensions });
    },
  },
});

export const graphqlModule = (): DynamicModule =>
  GraphQLModule.forRootAsync<MercuriusDriverConfig>({
    driver: MercuriusDriver,
    inject: [LOGGER],
    useFactory: options,
  });
