import type { Hex32, UsufructError } from '@usufruct/kernel';
import { signInText, toWireJson } from '@usufruct/protocol';
import { TEST_NOW_MS } from './values.js';

export interface GraphqlCall {
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly authorization: string | null;
}
type Handler = (variables: Readonly<Record<string, unknown>>, call: GraphqlCall) => object | Promise<object>;

const TERM_MS = 60 * 60_000;

/** Members of a result union, as the API sends them. */
export const refusalMember = ({ code, details, message, entry }: UsufructError): object => ({
  __typename: 'InputRefusal',
  code,
  message,
  remedy: entry.remedy,
  details: Object.entries(details).map(([key, value]) => ({ key, value })),
});

/**
 * A GraphQL API reduced to handlers by operation name, each giving the `data` of its answer. Signing in works for
 * everybody, with tokens that count up; every call is recorded.
 */
export class FakeGraphql {
  readonly calls: GraphqlCall[] = [];
  private sessions = 0;
  private readonly handlers = new Map<string, Handler>();

  constructor(readonly url: string = 'http://api.test') {
    this.on('Challenge', ({ address }) => ({
      signInChallenge: { __typename: 'SignInChallenge', nonce: 'nonce-1', message: challengeText(address as Hex32) },
    }));
    this.on('SignIn', ({ input }) => ({ signIn: this.session((input as { address: Hex32 }).address) }));
  }

  on(operation: string, handler: Handler): this {
    this.handlers.set(operation, handler);
    return this;
  }

  /** A session that ends `termMs` after the test's now. */
  session(address: Hex32, termMs: number = TERM_MS): object {
    const number = ++this.sessions;
    return {
      __typename: 'Session',
      accessToken: `access-${number}`,
      accessTokenExpiresAtMs: TEST_NOW_MS + termMs,
      refreshToken: `refresh-${number}`,
      refreshTokenExpiresAtMs: TEST_NOW_MS + 24 * TERM_MS,
      viewer: { address },
    };
  }

  callsOf(operation: string): GraphqlCall[] {
    return this.calls.filter((call) => call.operation === operation);
  }

  fetch = async (input: string, init?: RequestInit): Promise<Response> => {
    if (input !== `${this.url}/graphql`) throw new TypeError('fetch failed');
    const body = JSON.parse(String(init?.body)) as { query: string; variables: Record<string, unknown> };
    const operation = /^(?:query|mutation) (\w+)/.exec(body.query)?.[1] ?? '';
    const authorization = new Headers(init?.headers).get('authorization');
    const call = { operation, variables: body.variables, authorization };
    this.calls.push(call);
    const handler = this.handlers.get(operation);
    if (handler === undefined) throw new TypeError(`no handler for ${operation}`);
    return new Response(toWireJson({ data: await handler(body.variables, call) }));
  };
}

export const challengeText = (address: Hex32, nonce = 'nonce-1', chainId = 'local:test'): string =>
  signInText({
    domain: 'portal.test',
    address,
    nonce,
    chainId,
    issuedAt: new Date(TEST_NOW_MS).toISOString(),
    expiresAt: new Date(TEST_NOW_MS + TERM_MS).toISOString(),
  });
