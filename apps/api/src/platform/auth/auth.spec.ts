import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { walletOf } from '../../../../local-chain/src/testing/world.js';
import { ApiWorld } from '../../../../../test/support/api-world.js';

const refresh = `mutation ($token: String!) { refresh(refreshToken: $token) {
  ... on Session { accessToken refreshToken } ... on Refusal { code } } }`;
const createKey = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  ... on ApiKeyCreated { secret apiKey { apiKeyId scopes } } ... on Refusal { __typename code details { key value } } } }`;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** How long before its end a thing is still tried: the world's clock runs on while the test does. */
const MARGIN_MS = MINUTE_MS;

describe('who asks', () => {
  let world: ApiWorld;
  const ada = walletOf('ada');
  const eve = walletOf('eve');
  beforeAll(async () => {
    world = await ApiWorld.start();
  });
  afterAll(() => world.close());

  it('signs in a wallet that signs the challenge, and says who it is', async () => {
    const token = await world.signIn(ada);
    expect(await world.field('{ viewer { address scopes } }', {}, token)).toEqual({
      address: ada.address,
      scopes: null,
    });
    expect(await world.field('{ viewer { address } }')).toBeNull();
  });

  it('shows the domain, the address and the nonce in the text that is signed', async () => {
    const { message, nonce } = await world.challenge(ada);
    expect(message).toContain('portal.test wants you to sign in');
    expect(message).toContain(ada.address);
    expect(message).toContain(`Nonce: ${nonce}`);
  });

  it('refuses a challenge that was answered already, whoever sends it again', async () => {
    const { message, nonce } = await world.challenge(ada);
    const signature = await ada.signPersonalMessage(utf8(message));
    expect(await world.answer(ada.address, nonce, signature)).toHaveProperty('accessToken');
    expect(await world.answer(ada.address, nonce, signature)).toMatchObject({ code: 'CHALLENGE_USED' });
  });

  it('lets one of two answers at the same time in', async () => {
    const { message, nonce } = await world.challenge(ada);
    const signature = await ada.signPersonalMessage(utf8(message));
    const answers = await Promise.all([1, 2, 3, 4].map(() => world.answer(ada.address, nonce, signature)));
    expect(answers.filter((answer) => answer.accessToken !== undefined)).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === 'CHALLENGE_USED')).toHaveLength(3);
  });

  it.each([
    ['the wallet of another', async (message: string) => eve.signPersonalMessage(utf8(message)), 'SIGNATURE_INVALID'],
    ['another text', async () => ada.signPersonalMessage(utf8('something else')), 'SIGNATURE_INVALID'],
    ['no signature', async () => 'AAAA', 'SIGNATURE_INVALID'],
  ])('refuses %s and leaves the challenge good', async (_, sign, code) => {
    const { message, nonce } = await world.challenge(ada);
    expect(await world.answer(ada.address, nonce, await sign(message))).toMatchObject({ code });
    const signature = await ada.signPersonalMessage(utf8(message));
    expect(await world.answer(ada.address, nonce, signature)).toHaveProperty('accessToken');
  });

  it('refuses a challenge of another address, and one that was made up', async () => {
    const { message, nonce } = await world.challenge(ada);
    const signature = await eve.signPersonalMessage(utf8(message.replace(ada.address, eve.address)));
    expect(await world.answer(eve.address, nonce, signature)).toMatchObject({ code: 'CHALLENGE_UNKNOWN' });
    expect(await world.answer(eve.address, 'ff'.repeat(38), signature)).toMatchObject({ code: 'CHALLENGE_UNKNOWN' });
  });

  it('replaces a refresh token by its use; used twice, it closes the session', async () => {
    const first = await world.session(ada);
    const second = await world.field(refresh, { token: first.refreshToken });
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(await world.field('{ viewer { address } }', {}, second.accessToken)).toEqual({ address: ada.address });
    expect(await world.field(refresh, { token: first.refreshToken })).toEqual({ code: 'TOKEN_REUSED' });
    expect(await world.field(refresh, { token: second.refreshToken })).toEqual({ code: 'UNAUTHENTICATED' });
    expect(await world.field('{ viewer { address } }', {}, second.accessToken)).toBeNull();
    expect(await world.field(refresh, { token: 'usr_unknown' })).toEqual({ code: 'UNAUTHENTICATED' });
  });

  it('signs out at once', async () => {
    const token = await world.signIn(ada);
    const signOut = 'mutation { signOut { ... on SignedOut { address } ... on Refusal { code } } }';
    expect(await world.field(signOut, {}, token)).toEqual({ address: ada.address });
    expect(await world.field(signOut, {}, token)).toEqual({ code: 'UNAUTHENTICATED' });
  });

  it('lets an API key do what its scopes say, until it is revoked', async () => {
    const token = await world.signIn(ada);
    const created = await world.field(createKey, { input: { name: 'lab', scopes: ['read'] } }, token);
    const { secret } = created;
    expect(created.apiKey.scopes).toEqual(['read']);
    expect(await world.field('{ jobs { edges { cursor } } }', {}, secret)).toEqual({ edges: [] });
    const submit = `mutation { submitJob(jobId: "${ada.address}") { ... on Refusal { code details { value } } } }`;
    expect(await world.field(submit, {}, secret)).toEqual({ code: 'FORBIDDEN', details: [{ value: 'scope jobs' }] });
    expect(await world.field(createKey, { input: { name: 'more', scopes: ['ask'] } }, secret)).toMatchObject({
      __typename: 'AuthRefusal',
      code: 'FORBIDDEN',
    });
    const keys = await world.ask('{ viewer { apiKeys { name } } }', {}, secret);
    expect(keys.errors[0]?.extensions.code).toBe('FORBIDDEN');

    const revoke = `mutation ($id: String!) { revokeApiKey(apiKeyId: $id) {
      ... on ApiKey { revokedAtMs } ... on Refusal { code } } }`;
    const id = created.apiKey.apiKeyId;
    expect(await world.field(revoke, { id }, await world.signIn(eve))).toEqual({ code: 'NOT_FOUND' });
    const { revokedAtMs } = await world.field(revoke, { id }, token);
    expect(revokedAtMs).toBeGreaterThan(0);
    expect(await world.field(revoke, { id }, token)).toEqual({ revokedAtMs });
    expect((await world.ask('{ jobs { edges { cursor } } }', {}, secret)).errors[0]?.extensions.code).toBe(
      'UNAUTHENTICATED',
    );
  });

  it.each([
    ['no name', { name: ' ', scopes: ['read'] }, 'name'],
    ['no scope', { name: 'x', scopes: [] }, 'scopes'],
    ['no end', { name: 'x', scopes: ['read'], termDays: 10_000 }, 'termDays'],
  ])('refuses a key with %s', async (_, input, field) => {
    const answer = await world.field(createKey, { input }, await world.signIn(ada));
    expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(answer.details).toContainEqual({ key: 'field', value: field });
  });

  it.each([
    '',
    'Bearer',
    'x.y.z',
    'usk_nonsense',
    `usk_${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}_${'a'.repeat(43)}`,
  ])('takes the token %j for nobody', async (token) => {
    expect(await world.field('{ viewer { address } }', {}, token)).toBeNull();
  });

  it('takes the answer to a challenge for five minutes', async () => {
    const sign = async ({ message }: { message: string }) => ada.signPersonalMessage(utf8(message));
    const [first, second] = [await world.challenge(ada), await world.challenge(ada)];
    world.dao.clock.advance(5 * MINUTE_MS - MARGIN_MS);
    expect(await world.answer(ada.address, first.nonce, await sign(first))).toHaveProperty('accessToken');
    world.dao.clock.advance(MARGIN_MS);
    const late = await world.answer(ada.address, second.nonce, await sign(second));
    expect(late).toMatchObject({ code: 'CHALLENGE_EXPIRED' });
  });

  it('takes an access token for ten minutes, and gives another for the refresh token', async () => {
    const { accessToken, refreshToken } = await world.session(ada);
    const jobs = '{ jobs { edges { cursor } } }';
    world.dao.clock.advance(10 * MINUTE_MS - MARGIN_MS);
    expect(await world.field(jobs, {}, accessToken)).toEqual({ edges: [] });
    world.dao.clock.advance(MARGIN_MS);
    expect((await world.ask(jobs, {}, accessToken)).errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(await world.field('{ viewer { address } }', {}, accessToken)).toBeNull();
    const renewed = await world.field(refresh, { token: refreshToken });
    expect(await world.field(jobs, {}, renewed.accessToken)).toEqual({ edges: [] });
  });

  it('ends a session thirty days after the sign-in, however often it was refreshed', async () => {
    const { refreshToken } = await world.session(ada);
    world.dao.clock.advance(30 * DAY_MS - MARGIN_MS);
    const last = await world.field(refresh, { token: refreshToken });
    expect(await world.field('{ viewer { address } }', {}, last.accessToken)).toEqual({ address: ada.address });
    world.dao.clock.advance(MARGIN_MS);
    expect(await world.field(refresh, { token: last.refreshToken })).toEqual({ code: 'UNAUTHENTICATED' });
    expect(await world.field('{ viewer { address } }', {}, last.accessToken)).toBeNull();
  });

  it('takes an API key for the days that it was made for', async () => {
    const input = { name: 'short', scopes: ['read'], termDays: 1 };
    const { secret } = await world.field(createKey, { input }, await world.signIn(ada));
    const jobs = '{ jobs { edges { cursor } } }';
    world.dao.clock.advance(DAY_MS - MARGIN_MS);
    expect(await world.field(jobs, {}, secret)).toEqual({ edges: [] });
    world.dao.clock.advance(MARGIN_MS);
    expect((await world.ask(jobs, {}, secret)).errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });
});
