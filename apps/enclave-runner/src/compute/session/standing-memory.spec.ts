import { describe, expect, it } from '@jest/globals';
import { LocalChainClient, type Chain } from '@usufruct/chain';
import { asTimestampMs, toUsufructError, type DatasetId, type QuestionId, type RunnerId } from '@usufruct/kernel';
import { deriveId, runnerIdOf, type ChainAction } from '@usufruct/protocol';
import fc from 'fast-check';
import { readAll, readNow } from '../../../../local-chain/src/server/routes.js';
import { DaoWorld, PURPOSE, type Signer } from '../../../../local-chain/src/testing/dao-world.js';
import { hexOf } from '../../../../local-chain/src/testing/world.js';
import { allowedContributions } from './consent.js';
import { StandingMemory } from './standing-memory.js';
import { readStanding } from './standing.js';

/** A real ledger, asked as over HTTP and without a network between; says what it was asked. */
async function ledger() {
  const world = await DaoWorld.ready();
  await world.run(world.requester, world.mint(world.requester, 100_000_000n));
  const asked: string[] = [];
  let isDown = false;
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = new URL(String(input));
    const body = init?.body === undefined ? undefined : (JSON.parse(String(init.body)) as unknown);
    const one = (path: string, query: unknown): Promise<string> => {
      asked.push(path.replace(/0x\w+/g, ':id').replace(/\?.*/, ''));
      return readNow(world.chain, path, query);
    };
    if (isDown) throw new TypeError('fetch failed');
    try {
      const text = await (url.pathname === '/v1/reads' ? readAll(body, one) : one(url.pathname + url.search, body));
      return new Response(text);
    } catch (error) {
      return new Response(JSON.stringify(toUsufructError(error).toWire()), { status: 404 });
    }
  };
  const chain: Chain = new LocalChainClient({ url: 'http://chain.test', fetch, clock: world.clock });
  const keys = { runnerId: runnerIdOf<RunnerId>(world.runnerKey.publicKey) };
  const context = { chain, clock: world.clock, keys: keys as never };
  await world.run(world.founder, world.dataset({ salt: hexOf('elsewhere') }));
  const memory = new StandingMemory(context, { id: world.jobId, datasetId: world.datasetId });
  const remembered = async () => {
    const { standing, allowed } = await memory.read();
    return { standing, allowed };
  };
  const fresh = async () => {
    const standing = await readStanding(context, world.jobId);
    const contributions = await chain.contributionsOf(world.datasetId);
    return { standing, allowed: await allowedContributions(context, standing, contributions, world.clock.nowMs()) };
  };
  return { world, asked, remembered, fresh, setDown: (down: boolean) => void (isDown = down) };
}
type Ledger = Awaited<ReturnType<typeof ledger>>;

async function expectTheSame({ remembered, fresh }: Ledger): Promise<void> {
  const [kept, read] = [await remembered(), await fresh()];
  expect(kept.standing).toEqual(read.standing);
  const sorted = (map: ReadonlyMap<string, string>) => [...map].sort();
  for (const part of ['grants', 'owners', 'refused'] as const) {
    expect([part, sorted(kept.allowed[part])]).toEqual([part, sorted(read.allowed[part])]);
  }
}

const which = fc.nat(2);
const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });
/** What ends everything comes seldom, so that long sequences get somewhere. */
const step = fc.oneof(
  often(12, fc.record({ do: fc.constant('revoke' as const), which, grant: fc.nat(1) })),
  often(
    12,
    fc.record({
      do: fc.constant('grant' as const),
      which,
      grant: fc.nat(4),
      termMs: fc.constantFrom(1, 1_000, 59_999),
    }),
  ),
  often(12, fc.record({ do: fc.constant('wait' as const), byMs: fc.constantFrom(1, 999, 1_000, 59_999, 60_000) })),
  often(4, fc.record({ do: fc.constant('decide' as const), which, accept: fc.boolean() })),
  often(4, fc.record({ do: fc.constant('settle' as const), question: fc.nat(2) })),
  often(4, fc.record({ do: fc.constant('contribute' as const), which, salt: fc.nat(3), isElsewhere: fc.boolean() })),
  often(3, fc.record({ do: fc.constant('other' as const), salt: fc.nat(3) })),
  often(2, fc.record({ do: fc.constant('policy' as const), purposes: fc.boolean(), measurements: fc.boolean() })),
  often(2, fc.record({ do: fc.constant('register' as const) })),
  often(1, fc.record({ do: fc.constant('tombstone' as const), which })),
  often(1, fc.record({ do: fc.constant('pause' as const) })),
  often(1, fc.record({ do: fc.constant('close' as const) })),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function actionOf(world: DaoWorld, s: Step): Promise<readonly [Signer, ChainAction] | null> {
  switch (s.do) {
    case 'revoke': {
      const grantId = world.derive('grant', world.contributionIds[s.which]!, world.contributors[s.which]!, saltOf(s));
      return [world.contributors[s.which]!, { kind: 'revokeGrant', grantId: grantId as never }];
    }
    case 'grant': {
      const expiresAtMs = asTimestampMs(world.clock.nowMs() + s.termMs);
      return [world.contributors[s.which]!, world.grant(s.which, { expiresAtMs }, saltOf(s))];
    }
    case 'decide':
      return [world.founder, { ...world.decide(s.which), accept: s.accept } as ChainAction];
    case 'tombstone':
      return [
        world.contributors[s.which]!,
        { kind: 'tombstoneContribution', contributionId: world.contributionIds[s.which]! },
      ];
    case 'policy': {
      const expectedVersion = world.store.read('dao', world.daoId)!.policyVersion;
      const { appraisal } = world.policy();
      const policy = world.policy({
        purposes: s.purposes ? [PURPOSE] : ['dpv:ResearchAndDevelopment'],
        appraisal: s.measurements ? appraisal : { ...appraisal, version: expectedVersion + 1 },
      });
      return [world.founder, { kind: 'setPolicy', daoId: world.daoId, expectedVersion, policy }];
    }
    case 'contribute': {
      const datasetId = deriveId<DatasetId>('dataset', world.daoId, world.founder.address, hexOf('elsewhere'));
      const action = world.contribution({ salt: hexOf(`more ${s.salt}`), ...(s.isElsewhere && { datasetId }) });
      return [world.contributors[s.which]!, action];
    }
    case 'pause':
      return [world.founder, { kind: 'pauseDao', daoId: world.daoId }];
    case 'settle':
      return [
        world.stranger,
        await world.settlement(world.uses(1n, 1n, 1n), { questionId: hexOf<QuestionId>(`question ${s.question}`) }),
      ];
    case 'register':
      return [world.runnerWallet, await world.registration(world.statement())];
    case 'other':
      return [world.requester, world.job({ salt: hexOf(`job ${s.salt}`), maxQuestions: 1 })];
    case 'close':
      return [world.requester, { kind: 'closeJob', jobId: world.jobId }];
    default:
      return null;
  }
}
const saltOf = ({ grant }: { readonly grant: number }): string => (grant === 0 ? 'grant' : `grant ${grant}`);

describe('what a session remembers of the chain', () => {
  it('is what the chain says, whatever happens on it and whenever it is asked', async () => {
    const sequence = fc.array(fc.record({ step, isAsked: fc.boolean() }), { minLength: 8, maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(sequence, async (steps) => {
        const it = await ledger();
        await it.remembered();
        for (const { step: s, isAsked } of steps) {
          if (s.do === 'wait') it.world.clock.advance(s.byMs);
          const action = await actionOf(it.world, s);
          if (action !== null) await it.world.refusal(...action);
          if (isAsked) await expectTheSame(it);
        }
        await expectTheSame(it);
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  it('is asked in one round when nothing has happened, and reads again only what has', async () => {
    const it = await ledger();
    await it.remembered();
    const since = async (): Promise<string[]> => {
      it.asked.length = 0;
      await it.remembered();
      return it.asked.toSorted();
    };
    const round = ['/v1/events', '/v1/position'];
    expect(await since()).toEqual(round);
    await it.world.run(it.world.stranger, await it.world.settlement(it.world.uses(1n, null, null)));
    expect(await since()).toEqual(round);
    await it.world.run(it.world.contributors[0]!, { kind: 'revokeGrant', grantId: it.world.grantIds[0]! });
    expect(await since()).toEqual(['/v1/contributions/query', ...round, '/v1/grants/query'].toSorted());
    expect((await it.remembered()).allowed.refused.get(it.world.contributionIds[0]!)).toBe('GRANT_REVOKED');
    await it.world.run(it.world.contributors[0]!, it.world.contribution({ salt: hexOf('one more') }));
    const asked = await since();
    expect(asked).toContain('/v1/contributions/query');
    expect(asked).not.toContain('/v1/datasets/:id/contributions');
    expect((await it.remembered()).allowed.refused.size).toBe(2);
  });

  it('gives the same object while nothing has changed, and another when time alone changes it', async () => {
    const it = await ledger();
    const before = (await it.remembered()).allowed;
    expect((await it.remembered()).allowed).toBe(before);
    it.world.clock.advance(600_000 - 1);
    expect((await it.remembered()).allowed).toBe(before);
    it.world.clock.advance(1);
    expect([...(await it.remembered()).allowed.refused.values()]).toEqual(Array(3).fill('JOB_EXPIRED'));
  });

  it('has what was said before it was asked, also where others are being answered', async () => {
    const it = await ledger();
    const first = it.remembered();
    const [, second] = await Promise.all([
      first,
      it.world
        .run(it.world.contributors[1]!, { kind: 'revokeGrant', grantId: it.world.grantIds[1]! })
        .then(() => Promise.all([it.remembered(), it.remembered()])),
    ]);
    for (const { allowed } of second) expect(allowed.grants.has(it.world.contributionIds[1]!)).toBe(false);
  });

  it('is not used where the chain cannot be read, and is right when it can be read again', async () => {
    const it = await ledger();
    await it.remembered();
    it.setDown(true);
    await expect(it.remembered()).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
    it.setDown(false);
    await it.world.run(it.world.contributors[2]!, { kind: 'revokeGrant', grantId: it.world.grantIds[2]! });
    await expectTheSame(it);
  });

  it('reads everything anew after more events than are worth following', async () => {
    const it = await ledger();
    await it.remembered();
    for (let i = 0; i < 510; i += 10) {
      await it.world.run(it.world.stranger, ...Array.from({ length: 10 }, () => it.world.mint(it.world.stranger, 1n)));
    }
    await it.world.run(it.world.contributors[0]!, { kind: 'revokeGrant', grantId: it.world.grantIds[0]! });
    await expectTheSame(it);
  });
});
