import { refuse, UsufructError, type Logger } from '@usufruct/kernel';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { describeFault } from '@usufruct/service';
import { toGraphqlError } from './error.filter.js';

/** Messages of graphql-js about a document that repeat names of the schema or the document, never a value. */
const SAFE_REASONS =
  /^(Cannot query field "\w+" on type "\w+"|Unknown (argument|type|fragment|directive) "@?\w+"|Field "\w+" (must not have|of type "[\w![\]]+" must have) a selection|Variable "\$\w+" (is not defined|of required type "[\w![\]]+" was not provided|of type "[\w![\]]+" used)|Field "\w+" argument "\w+" of type)/;

const MAX_ERRORS = 20;

interface Failure {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly unknown[];
}

export interface FormattedAnswer {
  statusCode: number;
  response: { data: Record<string, unknown> | null; errors: GraphQLFormattedError[] };
}

/**
 * The one way out for errors: ours keep code, remedy and details; what could not be parsed is `MALFORMED_REQUEST`
 * without any value of the request; the rest is `INTERNAL`. Messages of other libraries never leave.
 */
export function formatErrors(failure: Failure, logger: Logger): FormattedAnswer {
  const flat = (failure.errors ?? []).flatMap(unfold).slice(0, MAX_ERRORS);
  const known = flat.map((error) => ({ error, ours: classify(error, logger) }));
  const errors = known.map(({ error, ours }) => {
    const { message, extensions } = toGraphqlError(ours);
    const place = error instanceof GraphQLError ? { locations: error.locations, path: error.path } : {};
    return { message, extensions, ...JSON.parse(JSON.stringify(place)) } as GraphQLFormattedError;
  });
  const data = failure.data ?? null;
  const first = known[0]?.ours;
  const parsed = data !== null || first === undefined || !NOT_EXECUTED.has(first.code);
  return { statusCode: parsed ? 200 : first.entry.http, response: { data, errors } };
}

const NOT_EXECUTED = new Set(['MALFORMED_REQUEST', 'QUERY_TOO_EXPENSIVE', 'REQUEST_TOO_LARGE', 'INVALID_ARGUMENT']);

/** The GraphQL server wraps the errors of validation in one that carries them as a list. */
function unfold(error: unknown): unknown[] {
  const wrapper = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  if (typeof wrapper === 'object' && wrapper !== null && 'errors' in wrapper && Array.isArray(wrapper.errors)) {
    return wrapper.errors as unknown[];
  }
  return [error];
}

function classify(error: unknown, logger: Logger): UsufructError {
  const ours = findOurs(error);
  if (ours !== undefined) return ours;
  const status = httpStatusOf(error);
  if (status === 413) return refuse('REQUEST_TOO_LARGE');
  if (status !== undefined && status >= 400 && status < 500) return refuse('MALFORMED_REQUEST');
  if (error instanceof GraphQLError && isAboutDocument(error)) return aboutDocument(error);
  logger.error('internal_error', describeFault(error instanceof GraphQLError ? (error.originalError ?? error) : error));
  return refuse('INTERNAL');
}

function findOurs(error: unknown): UsufructError | undefined {
  for (let at: unknown = error, depth = 0; at !== undefined && at !== null && depth < 8; depth++) {
    if (at instanceof UsufructError) return at;
    at = at instanceof GraphQLError ? at.originalError : undefined;
  }
  return undefined;
}

function httpStatusOf(error: unknown): number | undefined {
  const source = error instanceof GraphQLError ? error.originalError : error;
  if (typeof source !== 'object' || source === null || !('statusCode' in source)) return undefined;
  return typeof source.statusCode === 'number' ? source.statusCode : undefined;
}

/** Errors of parsing, validation and variables have no path: nothing was executed. */
const isAboutDocument = (error: GraphQLError): boolean => error.path === undefined;

function aboutDocument(error: GraphQLError): UsufructError {
  if (error.message.endsWith('tokens. Parsing aborted.')) return refuse('QUERY_TOO_EXPENSIVE', { limit: 'tokens' });
  const variable = /^Variable "\$(\w+)"/.exec(error.message)?.[1];
  const at = error.locations?.[0];
  const where: Record<string, string> = at === undefined ? {} : { line: String(at.line), column: String(at.column) };
  if (SAFE_REASONS.test(error.message)) {
    const reason = SAFE_REASONS.exec(error.message)?.[0] ?? '';
    return refuse('MALFORMED_REQUEST', { ...where, reason });
  }
  return refuse('MALFORMED_REQUEST', variable === undefined ? where : { ...where, field: variable });
}
