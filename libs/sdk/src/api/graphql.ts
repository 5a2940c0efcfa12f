import { fromWire, refuse, UsufructError } from '@usufruct/kernel';
import { parseAnswer } from '@usufruct/protocol';
import { z } from 'zod';
import { requestJson, type Fetch } from './http.js';

/** A GraphQL operation and the shape of its answer. `Variables` is compile-time only. */
export interface Operation<Variables, Data> {
  readonly text: string;
  readonly data: z.ZodType<Data>;
  readonly variables?: Variables;
}
export const operation =
  <Variables extends object>() =>
  <Data>(text: string, data: z.ZodType<Data>): Operation<Variables, Data> => ({ text, data });

export interface GraphqlRequest<Variables, Data> {
  readonly fetch: Fetch;
  readonly apiUrl: string;
  readonly operation: Operation<Variables, Data>;
  readonly variables: Variables;
  readonly accessToken?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const UPSTREAM = 'API';
const zDetails = z.array(z.object({ key: z.string(), value: z.string() }));
const zErrors = z.array(z.object({ message: z.string(), extensions: z.record(z.string(), z.unknown()).optional() }));
const zAnswer = z.object({ data: z.unknown().optional(), errors: zErrors.optional() });
const zRefusal = z.object({
  __typename: z.string().regex(/Refusal$/),
  code: z.string(),
  details: zDetails,
});

/** One operation, one answer. An error of the whole request is thrown as the catalogue error that the API named. */
export async function requestGraphql<V, D>(request: GraphqlRequest<V, D>): Promise<D> {
  const body = await requestJson({
    fetch: request.fetch,
    url: `${request.apiUrl}/graphql`,
    upstream: UPSTREAM,
    body: { query: request.operation.text, variables: request.variables },
    headers: request.accessToken === undefined ? {} : { authorization: `Bearer ${request.accessToken}` },
    acceptErrorStatus: true,
    ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    ...(request.signal !== undefined && { signal: request.signal }),
  });
  const answer = zAnswer.safeParse(body);
  if (!answer.success) throw fromWire(body, UPSTREAM);
  const first = answer.data.errors?.[0];
  if (first !== undefined) throw errorOf(first.extensions);
  return parseAnswer(request.operation.data, answer.data.data, UPSTREAM);
}

/** A member of a result union: the value, or the refusal as an error to throw. */
export const resultOf = <T extends z.ZodType>(value: T) =>
  z.unknown().transform((member, context): z.output<T> | UsufructError => {
    const refusal = zRefusal.safeParse(member);
    if (refusal.success) return errorOf(refusal.data);
    const parsed = value.safeParse(member);
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: 'neither the value nor a refusal' });
    return z.NEVER;
  });

export function valueOrThrow<T>(result: T | UsufructError): T {
  if (result instanceof UsufructError) throw result;
  return result;
}

/** What every union selection asks for beside its value. */
export const REFUSAL_FIELDS = '... on Refusal { code details { key value } }';

function errorOf(wire: Readonly<Record<string, unknown>> | undefined): UsufructError {
  if (wire === undefined) return refuse('UPSTREAM_INVALID', { upstream: UPSTREAM });
  const details = zDetails.safeParse(wire['details']);
  const asRecord = details.success
    ? Object.fromEntries(details.data.map(({ key, value }) => [key, value]))
    : wire['details'];
  return fromWire({ code: wire['code'], details: asRecord ?? {} }, UPSTREAM);
}
