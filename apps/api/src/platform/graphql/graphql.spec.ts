import 'reflect-metadata';
import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import type { GraphQLObjectType } from 'graphql';
import { ApiWorld } from '../../../../../test/support/api-world.js';
import { PUBLIC } from '../auth/index.js';

/** What anybody may read: the catalogue, and what it takes to sign in. */
const PUBLIC_FIELDS = [
  'chainInfo',
  'dao',
  'daos',
  'dataset',
  'datasets',
  'endpoints',
  'epoch',
  'node',
  'nodes',
  'packageUpgrades',
  'proposal',
  'refresh',
  'runners',
  'signIn',
  'signInChallenge',
  'upgradeTimelock',
  'viewer',
];
const ID = `0x${'ab'.repeat(32)}`;

describe('the GraphQL door', () => {
  let world: ApiWorld;
  beforeAll(async () => {
    world = await ApiWorld.start();
  });
  afterAll(() => world.close());

  describe('malformed requests', () => {
    it.each([
      ['no JSON', '{'],
      ['JSON that is no request', '[1, 2]'],
      ['no query', '{}'],
      ['a number for a query', '{"query": 7}'],
      ['a broken query', JSON.stringify({ query: '{ daos(' })],
      ['a query that is JSON', JSON.stringify({ query: '1' })],
      ['an unknown field', JSON.stringify({ query: '{ secrets }' })],
      ['a missing selection', JSON.stringify({ query: '{ daos }' })],
      ['two operations', JSON.stringify({ query: 'query A { chainInfo { chainId } } query B { viewer { address } }' })],
      [
        'a wrong variable',
        JSON.stringify({
          query: 'query ($n: Int!) { daos(first: $n) { edges { cursor } } }',
          variables: { n: 'many' },
        }),
      ],
      ['a missing variable', JSON.stringify({ query: 'query ($n: Int!) { daos(first: $n) { edges { cursor } } }' })],
    ])('are refused: %s', async (_, body) => {
      const { status, data, errors } = await world.post(body);
      expect(status).toBe(400);
      expect(data).toBeNull();
      expect(errors.map((error) => error.extensions.code)).toEqual(errors.map(() => 'MALFORMED_REQUEST'));
      expect(errors.length).toBeGreaterThan(0);
    });

    it('name the place, and never repeat a value', async () => {
      const query = 'query ($id: Hex32!, $n: Int!) { dao(daoId: $id) { id } daos(first: $n) { edges { cursor } } }';
      for (let round = 0; round < 4; round++) {
        const { errors } = await world.ask(query, { id: ID, n: 'PRIVATE' });
        expect(JSON.stringify(errors)).not.toContain('PRIVATE');
        expect(errors[0]?.extensions).toMatchObject({ code: 'MALFORMED_REQUEST', details: { field: 'n' } });
      }
    });

    it('refuse a value of a wrong form by what was expected, interpreted and compiled alike', async () => {
      const query = 'query ($id: Hex32!) { dao(daoId: $id) { id } }';
      for (let round = 0; round < 4; round++) {
        const { errors } = await world.ask(query, { id: 'PRIVATE' });
        expect(JSON.stringify(errors)).not.toContain('PRIVATE');
        expect(errors[0]?.extensions.code).toBe('INVALID_ARGUMENT');
        expect(await world.field(query, { id: ID })).toBeNull();
      }
    });

    it('are refused when they are too large', async () => {
      const { status, errors } = await world.post(
        JSON.stringify({ query: '{ viewer { address } }', pad: 'x'.repeat(300_000) }),
      );
      expect(status).toBe(413);
      expect(errors[0]?.extensions.code).toBe('REQUEST_TOO_LARGE');
    });

    it('leave the connection usable for the next client when the HTTP itself is broken', async () => {
      const { port } = new URL(world.url);
      await new Promise<void>((done) => {
        const socket = createConnection(Number(port), '127.0.0.1', () => socket.end('NONSENSE\r\n\r\n'));
        socket.on('close', () => done());
        socket.resume();
      });
      expect(await world.field('{ viewer { address } }')).toBeNull();
    });
  });

  describe('limits', () => {
    const nest = (depth: number): string =>
      depth === 0 ? 'title' : `dao { datasets(first: 1) { edges { node { ${nest(depth - 1)} } } } }`;
    const fragments = `query { datasets { edges { node { ...A } } } }
      fragment A on Dataset { dao { datasets(first: 1) { edges { node { ...B } } } } }
      fragment B on Dataset { dao { datasets(first: 1) { edges { node { dao { datasets { edges { node { title } } } } } } } } }`;
    it.each([
      ['depth', `{ datasets(first: 1) { edges { node { ${nest(3)} } } } }`],
      ['depth', fragments],
      ['aliases', `{ ${Array.from({ length: 21 }, (_, i) => `a${i}: viewer { address }`).join(' ')} }`],
      ['directives', `{ viewer { ${'address @include(if: true) '.repeat(21)} } }`],
      [
        'cost',
        '{ daos(first: 100) { edges { node { datasets(first: 100) { edges { node { title description datasetId } } } } } } }',
      ],
      ['cost', '{ datasets(first: 100) { edges { node { usableContributionCount(purpose: "DUO:0000042") } } } }'],
      [
        'cost',
        'query ($n: Int!) { daos(first: $n) { edges { node { datasets(first: $n) { edges { node { title description datasetId } } } } } } }',
      ],
      [
        'cost',
        '{ daos(first: 100) { edges { node { proposals(first: 100) { edges { node { summary state number } } } } } } }',
      ],
      [
        'depth',
        '{ daos(first: 1) { edges { node { proposals(first: 1) { edges { node { dao { epochs(first: 1) { edges { node { dao { members(first: 1) { edges { node { address } } } } } } } } } } } } } } }',
      ],
      ['tokens', `{ ${'viewer { address } '.repeat(600)} }`],
    ])('refuse a query for its %s', async (limit, query) => {
      const { status, errors } = await world.ask(query, { n: 1 });
      expect(status).toBe(400);
      expect(errors.map((error) => error.extensions)).toEqual([
        expect.objectContaining({ code: 'QUERY_TOO_EXPENSIVE', details: expect.objectContaining({ limit }) }),
      ]);
    });

    it('let pass what a page of the portal asks for', async () => {
      const { errors } =
        await world.ask(`{ daos(first: 50) { edges { node { daoId title policy { split { runnerBps } holderSet { members { operator } } }
        datasets(first: 20) { edges { node { title contributionCount } } } runners { current } } } pageInfo { endCursor } } }`);
      expect(errors).toEqual([]);
    });

    it('let pass what there is to know about how one DAO decides', async () => {
      const { errors } =
        await world.ask(`{ dao(daoId: "${ID}") { title paused treasuryUnits governance { voting quorumBps } payoutRules { mode }
        members(first: 100) { edges { node { address roles } } } applications(state: pending) { edges { node { applicant } } }
        measurements { measurement approved } signers { signerKind } verifiers { threshold holderSet { members { operator tombstoned } } }
        policyHistory(first: 20) { edges { node { version setAtMs changes { ... on PolicyValueChange { field before after } } } } }
        proposals(first: 20) { edges { node { number state summary title tally { yesVotes noVotes passed }
          changes { ... on PolicyValueChange { field before after } } votes(first: 20) { edges { node { voter choice } } } } } }
        epochs(first: 20) { edges { node { number phase totalUnits claimedUnits } } } licenceOffers { edges { node { terms { priceUnits } } } } } }`);
      expect(errors).toEqual([]);
    });

    it('hold a page to its size', async () => {
      const { errors } = await world.ask('{ daos(first: 101) { edges { cursor } } }');
      expect(errors[0]?.extensions).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'first' } });
    });

    it.each([
      'nonsense',
      Buffer.from('datasets:1').toString('base64url'),
      Buffer.from('daos:-1').toString('base64url'),
      Buffer.from('daos:2147483648').toString('base64url'),
    ])('refuse the foreign cursor %s', async (after) => {
      const { errors } = await world.ask(`{ daos(after: "${after}") { edges { cursor } } }`);
      expect(errors[0]?.extensions).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'after' } });
    });
  });

  describe('deny by default', () => {
    it('is told of every query, mutation and subscription: a guard, or @Public from the list above', () => {
      const { schema } = world.app.get(GraphQLSchemaHost);
      const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
      const all = roots.flatMap((root) => Object.keys((root as GraphQLObjectType).getFields()));
      const reflector = new Reflector();
      const found: string[] = [];
      const modules = [...world.app.get(ModulesContainer, { strict: false }).values()];
      for (const { instance, metatype } of modules.flatMap((module) => [...module.providers.values()])) {
        if (typeof metatype !== 'function' || instance === undefined || instance === null) continue;
        const prototype = Object.getPrototypeOf(instance) as Record<string, () => unknown>;
        for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
          const method = prototype[name];
          const kind = method && (Reflect.getMetadata('graphql:resolver_type', method) as string | undefined);
          if (method === undefined || !['Query', 'Mutation', 'Subscription'].includes(kind ?? '')) continue;
          if (reflector.getAllAndOverride<boolean>(PUBLIC, [method, metatype]) === true) found.push(name);
        }
      }
      expect(found.sort()).toEqual(PUBLIC_FIELDS);
      expect(all.length).toBeGreaterThan(PUBLIC_FIELDS.length);
    });

    it('answers nobody on any other field', async () => {
      const { schema } = world.app.get(GraphQLSchemaHost);
      const samples: Record<string, string> = {
        'Hex32!': `"${ID}"`,
        'Base64!': '"AAAA"',
        'String!': '"x"',
        'CreateApiKeyInput!': '{ name: "x", scopes: [read] }',
        'DescribeDaoInput!': `{ daoId: "${ID}", title: "x", description: "x" }`,
        'DescribeDatasetInput!': `{ datasetId: "${ID}", title: "x", description: "x" }`,
        'DescribeProposalInput!': `{ proposalId: "${ID}", title: "x", description: "x" }`,
        'DescribeApplicationInput!': `{ daoId: "${ID}", statement: "x" }`,
        'QuoteInput!': `{ datasetId: "${ID}", purpose: "x", maxQuestions: 1, termMs: 1 }`,
        'PrepareJobInput!': `{ datasetId: "${ID}", purpose: "x", maxQuestions: 1, termMs: 1, salt: "${ID}", idempotencyKey: "12345678" }`,
        'NoticeContactInput!': '{ email: "x@example.org" }',
        'AskQuestionInput!': `{ idempotencyKey: "12345678", jobId: "${ID}", questionId: "${ID}", sealedQuestion: "AAAA", authorization: "AAAA" }`,
      };
      const roots = { query: schema.getQueryType(), mutation: schema.getMutationType() };
      let asked = 0;
      for (const [operation, root] of Object.entries(roots)) {
        for (const field of Object.values((root as GraphQLObjectType).getFields())) {
          if (PUBLIC_FIELDS.includes(field.name)) continue;
          const args = field.args
            .filter((arg) => arg.defaultValue === undefined && String(arg.type).endsWith('!'))
            .map((arg) => `${arg.name}: ${samples[String(arg.type)]}`);
          const call = args.length === 0 ? field.name : `${field.name}(${args.join(', ')})`;
          const { data, errors } = await world
            .ask(`${operation} { ${call} { __typename ... on Refusal { code } } }`)
            .then((answer) => (answer.status === 400 ? world.ask(`${operation} { ${call} { __typename } }`) : answer));
          const code = errors[0]?.extensions.code ?? (data?.[field.name] as { code?: string } | null)?.code;
          expect([field.name, code]).toEqual([field.name, 'UNAUTHENTICATED']);
          asked++;
        }
      }
      expect(asked).toBeGreaterThan(15);
    });

    it('has no other route than the door and the two for health', async () => {
      expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
      expect(await (await fetch(`${world.url}/readyz`)).json()).toEqual({ status: 'ready', failures: {} });
      expect((await fetch(`${world.url}/graphiql`)).status).toBe(404);
    });

    it('lets browsers of the portal in, and no others', async () => {
      const preflight = (origin: string) =>
        fetch(`${world.url}/graphql`, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'content-type',
          },
        });
      expect((await preflight('http://portal.test')).headers.get('access-control-allow-origin')).toBe(
        'http://portal.test',
      );
      expect((await preflight('http://evil.test')).headers.get('access-control-allow-origin')).not.toBe(
        'http://evil.test',
      );
    });
  });

  it('says nothing about a fault but that there was one', async () => {
    const prisma = await import('../prisma/index.js');
    const service = world.app.get(prisma.PrismaService, { strict: false });
    const original = service.dao.findMany;
    Object.assign(service.dao, { findMany: () => Promise.reject(new Error('password is hunter2')) });
    const { data, errors } = await world.ask('{ daos { edges { cursor } } }');
    Object.assign(service.dao, { findMany: original });
    expect(data).toBeNull();
    expect(errors[0]?.extensions.code).toBe('INTERNAL');
    expect(JSON.stringify([errors, world.log])).not.toContain('hunter2');
    expect(world.log.some((line) => line.event === 'internal_error')).toBe(true);
  });

  it('fills in the defaults of input fields, interpreted and compiled alike', async () => {
    const { walletOf } = await import('../../../../local-chain/src/testing/world.js');
    const token = await world.signIn(walletOf('ada'));
    const query = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { ... on ApiKeyCreated { apiKey { createdAtMs expiresAtMs } } } }`;
    for (let round = 0; round < 4; round++) {
      const { apiKey } = await world.field(query, { input: { name: `k${round}`, scopes: ['read'] } }, token);
      expect(apiKey.expiresAtMs - apiKey.createdAtMs).toBe(90 * 24 * 60 * 60_000);
    }
  });
});
