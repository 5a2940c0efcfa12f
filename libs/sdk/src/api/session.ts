import { refuse, utf8, UsufructError, type Clock } from '@usufruct/kernel';
import type { WalletSigner } from '@usufruct/chain';
import { signInText, zTimestampMs } from '@usufruct/protocol';
import { z } from 'zod';
import { readRecord, writeRecord, type Journal } from '../journal.js';
import { operation, REFUSAL_FIELDS, requestGraphql, resultOf, valueOrThrow, type Operation } from './graphql.js';
import type { Fetch } from './http.js';

const SESSION_FIELDS = `accessToken accessTokenExpiresAtMs refreshToken refreshTokenExpiresAtMs viewer { address }`;
const zSession = z.object({
  accessToken: z.string(),
  accessTokenExpiresAtMs: zTimestampMs,
  refreshToken: z.string(),
  refreshTokenExpiresAtMs: zTimestampMs,
  viewer: z.object({ address: z.string() }),
});
type Session = z.output<typeof zSession>;

const CHALLENGE = operation<{ address: string }>()(
  `mutation Challenge($address: Hex32!) { signInChallenge(address: $address) {
    __typename ... on SignInChallenge { nonce message } ${REFUSAL_FIELDS} } }`,
  z.object({ signInChallenge: resultOf(z.object({ nonce: z.string(), message: z.string() })) }),
);
const SIGN_IN = operation<{ input: { address: string; nonce: string; signature: string } }>()(
  `mutation SignIn($input: SignInInput!) { signIn(input: $input) {
    __typename ... on Session { ${SESSION_FIELDS} } ${REFUSAL_FIELDS} } }`,
  z.object({ signIn: resultOf(zSession) }),
);
const REFRESH = operation<{ refreshToken: string }>()(
  `mutation Refresh($refreshToken: String!) { refresh(refreshToken: $refreshToken) {
    __typename ... on Session { ${SESSION_FIELDS} } ${REFUSAL_FIELDS} } }`,
  z.object({ refresh: resultOf(zSession) }),
);
const SIGN_OUT = operation<Record<string, never>>()(
  `mutation SignOut { signOut { __typename ${REFUSAL_FIELDS} } }`,
  z.object({ signOut: resultOf(z.object({ __typename: z.literal('SignedOut') })) }),
);

const UPSTREAM = 'API';
/** Renewed this long before its end, so that a token does not expire on its way. */
const MARGIN_MS = 15_000;
const SIGN_IN_TEXT =
  /^([A-Za-z0-9.:-]{1,253}) wants you to sign in with your Sui account:\n(0x[0-9a-f]{64})\n\nChain: ([^\n]{1,64})\nNonce: ([^\n]{1,128})\nIssued At: ([^\n]{1,40})\nExpires At: ([^\n]{1,40})$/;

export interface ApiSessionParams {
  readonly apiUrl: string;
  readonly fetch: Fetch;
  readonly signer: WalletSigner;
  readonly clock: Clock;
  readonly journal: Journal;
  /** The chain that the wallet means; a challenge for another one is not signed. */
  readonly chainId: () => Promise<string>;
  /** Where the user believes to sign in; without it any domain is accepted, as a program has no address bar. */
  readonly domain?: string;
}

/**
 * Who is signed in at the API. Tokens lie in the journal under `session/`, so that a later process goes on with them.
 * The API's word counts for nothing here but access to its own data.
 */
export class ApiSession {
  private pending: Promise<Session> | null = null;
  constructor(private readonly params: ApiSessionParams) {}

  /** Run an operation as the signer: signs in or refreshes when that is needed, and once more if a token was refused. */
  async request<V, D>(op: Operation<V, D>, variables: V, options: RequestOptions = {}): Promise<D> {
    const session = await this.current();
    try {
      return await this.send(op, variables, session.accessToken, options);
    } catch (error) {
      if (!isUnauthenticated(error)) throw error;
      await this.forgetAccess(session);
      return this.send(op, variables, (await this.current()).accessToken, options);
    }
  }

  /** Run an operation as nobody. */
  requestPublic<V, D>(op: Operation<V, D>, variables: V): Promise<D> {
    return this.send(op, variables, undefined, {});
  }

  /** An access token that is good for at least a few seconds. */
  async accessToken(): Promise<string> {
    return (await this.current()).accessToken;
  }

  /**
   * An answer that comes in lines, as the signer: its body is to be read. Null where the API has no such thing, or none
   * for who asks; rejects where nothing answers, or says that there is nothing yet.
   */
  async open(path: string, signal: AbortSignal): Promise<Response | null> {
    const { apiUrl, fetch } = this.params;
    const { accessToken } = await this.current();
    const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/x-ndjson' };
    const response = await fetch(`${apiUrl}${path}`, { headers, signal, redirect: 'error' });
    if (response.ok) return response;
    await response.body?.cancel();
    if ([401, 403, 405, 501].includes(response.status)) return null;
    throw refuse('UPSTREAM_UNAVAILABLE', { upstream: UPSTREAM, status: String(response.status) });
  }

  /** Ask for a challenge, check that it is nothing but a sign-in, and have the wallet sign it. */
  async signIn(): Promise<void> {
    await this.single(() => this.signInNow());
  }

  async isSignedIn(): Promise<boolean> {
    const session = await this.stored();
    return session !== null && session.refreshTokenExpiresAtMs > this.params.clock.nowMs();
  }

  async signOut(): Promise<void> {
    const session = await this.stored();
    await this.params.journal.delete(this.key);
    if (session === null) return;
    try {
      valueOrThrow((await this.send(SIGN_OUT, {}, session.accessToken, {})).signOut);
    } catch (error) {
      if (!isUnauthenticated(error)) throw error; // an expired session is signed out already
    }
  }

  private get key(): string {
    return `session/${this.params.signer.address}`;
  }

  private stored(): Promise<Session | null> {
    return readRecord(this.params.journal, this.key, zSession);
  }

  private async current(): Promise<Session> {
    const session = await this.stored();
    const now = this.params.clock.nowMs();
    if (session !== null && session.accessTokenExpiresAtMs - MARGIN_MS > now) return session;
    return this.single(() => this.renew(session));
  }

  /** Two callers at once must not both use a refresh token: the second use would close the session. */
  private single(make: () => Promise<Session>): Promise<Session> {
    this.pending ??= make().finally(() => (this.pending = null));
    return this.pending;
  }

  private async renew(session: Session | null): Promise<Session> {
    if (session === null || session.refreshTokenExpiresAtMs <= this.params.clock.nowMs()) return this.signInNow();
    try {
      const { refresh } = await this.send(REFRESH, { refreshToken: session.refreshToken }, undefined, {});
      return await this.store(valueOrThrow(refresh));
    } catch (error) {
      if (error instanceof UsufructError && error.entry.http === 401) return this.signInNow();
      throw error;
    }
  }

  private async signInNow(): Promise<Session> {
    const { address } = this.params.signer;
    const challenge = valueOrThrow((await this.send(CHALLENGE, { address }, undefined, {})).signInChallenge);
    await this.refuseOtherTexts(challenge);
    const signature = await this.params.signer.signPersonalMessage(utf8(challenge.message));
    const input = { address, nonce: challenge.nonce, signature };
    return this.store(valueOrThrow((await this.send(SIGN_IN, { input }, undefined, {})).signIn));
  }

  /**
   * Transactions and manifests are signed as personal messages too: an API that sent one of those as its "challenge"
   * would get a signature that it can spend.
   */
  private async refuseOtherTexts({ message, nonce }: { message: string; nonce: string }): Promise<void> {
    const [, domain = '', address, chainId, given, issuedAt = '', expiresAt = ''] = SIGN_IN_TEXT.exec(message) ?? [];
    const expected = {
      domain,
      address: this.params.signer.address,
      nonce,
      issuedAt,
      expiresAt,
      chainId: await this.params.chainId(),
    };
    const sameDomain = this.params.domain === undefined || this.params.domain === domain;
    if (
      given !== nonce ||
      address !== expected.address ||
      chainId !== expected.chainId ||
      !sameDomain ||
      signInText(expected) !== message
    ) {
      throw refuse('UPSTREAM_INVALID', { upstream: 'API', field: 'signInChallenge.message' });
    }
  }

  private async store(session: Session): Promise<Session> {
    if (session.viewer.address !== this.params.signer.address) {
      throw refuse('UPSTREAM_INVALID', { upstream: 'API', field: 'viewer.address' });
    }
    await writeRecord(this.params.journal, this.key, session);
    return session;
  }

  private async forgetAccess(session: Session): Promise<void> {
    await writeRecord(this.params.journal, this.key, { ...session, accessTokenExpiresAtMs: 0 });
  }

  private send<V, D>(
    op: Operation<V, D>,
    variables: V,
    accessToken: string | undefined,
    options: RequestOptions,
  ): Promise<D> {
    const { apiUrl, fetch } = this.params;
    return requestGraphql({
      fetch,
      apiUrl,
      operation: op,
      variables,
      ...options,
      ...(accessToken !== undefined && { accessToken }),
    });
  }
}

export interface RequestOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const isUnauthenticated = (error: unknown): boolean =>
  error instanceof UsufructError && error.code === 'UNAUTHENTICATED';
