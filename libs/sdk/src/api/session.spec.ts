import { describe, expect, it } from '@jest/globals';
import { refuse } from '@usufruct/kernel';
import {
  challengeText,
  FakeChain,
  FakeGraphql,
  FakeStore,
  ManualClock,
  refusalMember,
  testWallet,
} from '@usufruct/testing';
import { walletStatementText } from '@usufruct/protocol';
import { z } from 'zod';
import { connect } from '../client.js';
import { memoryJournal } from '../journal.js';
import { operation } from './graphql.js';

const WALLET = testWallet('somebody');
const WHO = operation<Record<string, never>>()('query Who { viewer { address } }', z.object({ viewer: z.string() }));

function world() {
  const api = new FakeGraphql();
  const clock = new ManualClock();
  const journal = memoryJournal();
  const signed: string[] = [];
  const open = (signInDomain?: string) =>
    connect({
      apiUrl: 'http://api.test/',
      chain: new FakeChain(),
      store: new FakeStore(),
      holders: [],
      signer: {
        address: WALLET.address,
        signPersonalMessage: (message) => {
          signed.push(new TextDecoder().decode(message));
          return WALLET.signPersonalMessage(message);
        },
      },
      journal,
      fetch: (input, init) => api.fetch(input, init),
      clock,
      ...(signInDomain !== undefined && { signInDomain }),
    }).api;
  api.on('Who', (_variables, { authorization }) => ({ viewer: authorization ?? 'nobody' }));
  return { api, clock, journal, signed, open };
}

describe('ApiSession', () => {
  it('signs in when it is needed, once for several requests, and a later process goes on with the session', async () => {
    const { signed, open } = world();
    const session = open();
    const answers = await Promise.all([session.request(WHO, {}), session.request(WHO, {}), session.request(WHO, {})]);
    expect(answers.map(({ viewer }) => viewer)).toEqual(['Bearer access-1', 'Bearer access-1', 'Bearer access-1']);
    expect(await open().request(WHO, {})).toEqual({ viewer: 'Bearer access-1' });
    expect(signed).toEqual([challengeText(WALLET.address)]);
  });

  it('refreshes before the end of the access token, without the wallet', async () => {
    const { api, clock, signed, open } = world();
    api.on('Refresh', ({ refreshToken }) => ({
      refresh:
        refreshToken === 'refresh-1'
          ? api.session(WALLET.address, 3 * 60 * 60_000)
          : refusalMember(refuse('TOKEN_REUSED')),
    }));
    const session = open();
    await session.request(WHO, {});
    clock.advance(60 * 60_000 - 10_000);
    const answers = await Promise.all([session.request(WHO, {}), session.request(WHO, {})]);
    expect(answers.map(({ viewer }) => viewer)).toEqual(['Bearer access-2', 'Bearer access-2']);
    expect(api.callsOf('Refresh')).toHaveLength(1);
    expect(signed).toHaveLength(1);
  });

  it('signs in again when the refresh token is refused, as after a kill between rotation and storing', async () => {
    const { api, clock, signed, open } = world();
    api.on('Refresh', () => ({ refresh: refusalMember(refuse('TOKEN_REUSED')) }));
    await open().request(WHO, {});
    clock.advance(60 * 60_000);
    api.on('SignIn', () => ({ signIn: api.session(WALLET.address, 3 * 60 * 60_000) }));
    expect(await open().request(WHO, {})).toEqual({ viewer: 'Bearer access-2' });
    expect(signed).toHaveLength(2);
  });

  it('tries once more with a new token when the API does not accept one, and then gives up', async () => {
    const { api, open } = world();
    api.on('Refresh', () => ({ refresh: api.session(WALLET.address) }));
    const { fetch } = api;
    let refusals = 1;
    api.fetch = async (input, init) => {
      if (!String(init?.body).includes('Who') || refusals-- <= 0) return fetch(input, init);
      return Response.json({ errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }] }, { status: 401 });
    };
    expect(await open().request(WHO, {})).toEqual({ viewer: 'Bearer access-2' });
    refusals = 2;
    await expect(open().request(WHO, {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('signs out, and is then nobody', async () => {
    const { api, journal, open } = world();
    api.on('SignOut', () => ({ signOut: { __typename: 'SignedOut', address: WALLET.address } }));
    const session = open();
    await session.signIn();
    expect(await session.isSignedIn()).toBe(true);
    await session.signOut();
    expect(await session.isSignedIn()).toBe(false);
    expect(await journal.keys('')).toEqual([]);
  });

  const foreign = testWallet('other').address;
  const digest = `0x${'ab'.repeat(32)}` as const;
  const transaction = { action: 'Execute a transaction on the local chain', chainId: 'local:test', digest };
  const rows: readonly [string, string][] = [
    ['a transaction', walletStatementText(transaction)],
    ['a transaction after a sign-in', `${challengeText(WALLET.address)}\n${walletStatementText(transaction)}`],
    ['another address', challengeText(foreign)],
    ['another nonce than the one beside it', challengeText(WALLET.address, 'nonce-2')],
    ['another chain', challengeText(WALLET.address, 'nonce-1', 'sui:mainnet')],
    ['nothing', ''],
  ];
  it.each(rows)('does not sign %s that is sent as a challenge', async (_name, message) => {
    const { api, signed, open } = world();
    api.on('Challenge', () => ({ signInChallenge: { __typename: 'SignInChallenge', nonce: 'nonce-1', message } }));
    await expect(open().signIn()).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    expect(signed).toEqual([]);
  });

  it('does not sign for another domain than the one that the user sees', async () => {
    const { signed, open } = world();
    await expect(open('evil.test').signIn()).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    expect(signed).toEqual([]);
    await open('portal.test').signIn();
    expect(signed).toHaveLength(1);
  });

  it('refuses a session for somebody else', async () => {
    const { api, open } = world();
    api.on('SignIn', () => ({ signIn: api.session(foreign) }));
    await expect(open().signIn()).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      details: { field: 'viewer.address' },
    });
  });
});

describe('what the API may answer', () => {
  const rows: readonly [string, () => Response, string][] = [
    ['no JSON', () => new Response('<html>', { status: 502 }), 'UPSTREAM_INVALID'],
    ['data of another shape', () => Response.json({ data: { viewer: 7 } }), 'UPSTREAM_INVALID'],
    ['an error without a code', () => Response.json({ errors: [{ message: 'x' }] }), 'UPSTREAM_INVALID'],
    [
      'an unknown code',
      () => Response.json({ errors: [{ message: 'x', extensions: { code: 'NO_SUCH' } }] }),
      'UPSTREAM_INVALID',
    ],
    [
      'a known code',
      () => Response.json({ errors: [{ message: 'x', extensions: { code: 'RATE_LIMITED' } }] }, { status: 429 }),
      'RATE_LIMITED',
    ],
    ['more than it may', () => new Response('x'.repeat(17 * 1024 ** 2)), 'UPSTREAM_INVALID'],
  ];
  it.each(rows)('%s', async (_name, response, code) => {
    const { api, open } = world();
    const session = open();
    await session.signIn();
    api.fetch = async () => response();
    await expect(session.request(WHO, {})).rejects.toMatchObject({ code });
  });
});
