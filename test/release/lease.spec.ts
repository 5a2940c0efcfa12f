import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sign, verify } from '@usufruct/crypto';
import { asTimestampMs, refuse, toBase64, type Digest, type JobId } from '@usufruct/kernel';
import {
  decodeLeasedKey,
  encodeLeasedKey,
  encodeSealingKey,
  isLetOut,
  TAGS,
  type JobView,
  type LeaseAnswer,
  type SignedSealingKey,
} from '@usufruct/protocol';
import { aDao, aJob, aPolicy, idOf, someTerms, TEST_NOW_MS } from '@usufruct/testing';
import type { RunnerContext } from '../../apps/enclave-runner/src/context.js';
import { askForEgress } from '../../apps/enclave-runner/src/keys/egress.js';
import type { HolderPort } from '../../apps/enclave-runner/src/keys/holder-port.js';
import { leaseKey, makeLeasedKey } from '../../apps/enclave-runner/src/keys/leased-key.js';
import { away, ReleaseWorld } from './release-world.js';

const LATER = aJob({ id: idOf<JobId>('a later session') });
const TRAIN = aJob({ id: idOf<JobId>('training'), kind: 'train' });
let world: ReleaseWorld;
let context: RunnerContext;

const workOf = async (job: JobView) => ({ job, dao: await world.chain.dao(job.daoId) });
const make = async (by = context, job = aJob()) => makeLeasedKey(by, await workOf(job));
const lease = async (statement: Uint8Array, by = context, job = LATER) =>
  (await leaseKey(by, await workOf(job), statement)).lease;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code?: string }) => error.code ?? String(error),
  );
const grantOfFirst = () => world.dealt[0]!.manifest.contributionId;
const revokeFirst = (): void => world.grant(grantOfFirst(), { revokedAtMs: world.clock.nowMs() });
/** With the ports as the test wants them. */
const through = (change: (ports: readonly HolderPort[]) => readonly HolderPort[]) =>
  world.runner({ holders: change(world.ports()) });
const lying = (change: (answer: LeaseAnswer) => LeaseAnswer) =>
  through((ports) => ports.map((port) => ({ ...port, lease: async (request) => change(await port.lease(request)) })));
const letOut = async (by = context, output = idOf<Digest>('model')) => askForEgress(by, await workOf(TRAIN), output);

beforeEach(async () => {
  world = await ReleaseWorld.of(2);
  world.chain
    .put('job', LATER)
    .put('job', TRAIN)
    .put('dao', aDao({ policy: aPolicy({ kinds: ['rag', 'train'] }) }));
  context = await world.runner();
});
afterEach(() => world.close());

describe('the runner and real key holders', () => {
  it('a key that one runner made is leased by the next one, in another session', async () => {
    const made = await make();
    expect(made.storedBy).toBe(3);
    const key = made.lease.keyAt(world.clock.nowMs());
    expect(key).toHaveLength(32);
    // Other keys of its own: the first process has ended, and its memory is gone.
    const next = await world.runner();
    const leased = await lease(made.statement, next);
    expect(leased.keyAt(world.clock.nowMs())).toEqual(key);
    expect([leased.keyId, leased.endsAtMs]).toEqual([made.keyId, TEST_NOW_MS + 600_000]);
  });

  it('a lease ends, and the key with it', async () => {
    const { lease: own } = await make();
    const key = own.keyAt(asTimestampMs(TEST_NOW_MS + 599_999));
    expect(key.some((byte) => byte !== 0)).toBe(true);
    expect(() => own.keyAt(asTimestampMs(TEST_NOW_MS + 600_000))).toThrow(
      expect.objectContaining({ code: 'LEASE_EXPIRED' }),
    );
    // Erased in memory, and not given again by a clock that is set back.
    expect(key.every((byte) => byte === 0)).toBe(true);
    expect(() => own.keyAt(TEST_NOW_MS)).toThrow(expect.objectContaining({ code: 'LEASE_EXPIRED' }));
  });

  it('after a revocation the old key is nowhere to be had, also not by a runner whose chain lags', async () => {
    const made = await make();
    const lagging = await world.runner();
    revokeFirst();
    expect(await codeOf(lease(made.statement))).toBe('KEY_SUPERSEDED');
    // A runner that does not look for itself is refused by the holders, and loses them the key.
    const grants = lagging.chain.grantsOfEach.bind(lagging.chain);
    const before: typeof grants = async (ids) =>
      (await grants(ids)).map((list) => list.map((grant) => ({ ...grant, revokedAtMs: null })));
    const chain = new Proxy(lagging.chain, {
      get: (target, name, receiver) => (name === 'grantsOfEach' ? before : Reflect.get(target, name, receiver)),
    });
    expect(await codeOf(lease(made.statement, { ...lagging, chain }))).toBe('KEY_SUPERSEDED');
    expect(world.holders.map(({ holder }) => holder.leasedKeys.living().length)).toEqual([0, 0, 0]);
    const next = await make();
    expect(decodeLeasedKey(next.statement)?.grantSetVersion).not.toBe(decodeLeasedKey(made.statement)?.grantSetVersion);
    expect((await lease(next.statement)).keyId).toBe(next.keyId);
  });

  it('one holder may be away, and two not', async () => {
    const one = await through((ports) => ports.map((port, n) => (n === 1 ? away(port) : port)));
    const two = await through((ports) => ports.map((port, n) => (n > 0 ? away(port) : port)));
    const made = await make(one);
    expect(made.storedBy).toBe(2);
    expect((await lease(made.statement, one)).keyId).toBe(made.keyId);
    expect(await codeOf(lease(made.statement, two))).toBe('SHARES_INSUFFICIENT');
    expect(await codeOf(make(two))).toBe('SHARES_INSUFFICIENT');
  });

  it('a wrong share of one holder is dropped', async () => {
    const made = await make();
    const { leasedKeys, database } = world.holders[0]!.holder;
    const other = await make();
    const share = leasedKeys.decrypt(other.keyId, leasedKeys.find(other.keyId)!.encrypted!);
    const encrypted = leasedKeys.encrypt(made.keyId, share);
    database.prepare('UPDATE leased_keys SET encrypted = ? WHERE key_id = ?').run(encrypted, made.keyId);
    expect((await lease(made.statement)).keyAt(TEST_NOW_MS)).toEqual(made.lease.keyAt(TEST_NOW_MS));
  });

  it.each<[string, string, () => Promise<unknown>]>([
    ['no statement', 'INVALID_ARGUMENT', () => lease(new Uint8Array(7))],
    [
      "another key's name on the commitments",
      'NOT_FOUND',
      async () => {
        const key = decodeLeasedKey((await make()).statement)!;
        return lease(encodeLeasedKey({ ...key, keyCommitment: idOf<Digest>('other') }));
      },
    ],
    [
      'a job that is over',
      'JOB_STATE',
      async () => {
        const made = await make();
        world.chain.put('job', { ...LATER, state: 'cancelled' });
        return lease(made.statement);
      },
    ],
    [
      'nothing that may be used',
      'NO_USABLE_DATA',
      async () => {
        for (const { manifest } of world.dealt) world.grant(manifest.contributionId, { revokedAtMs: TEST_NOW_MS });
        return make();
      },
    ],
    [
      'an entry that is not in the log',
      'SHARES_INSUFFICIENT',
      async () =>
        lease((await make()).statement, await lying((answer) => ({ ...answer, leafIndex: answer.leafIndex + 1 }))),
    ],
    [
      'an entry of an earlier lease',
      'SHARES_INSUFFICIENT',
      async () => {
        const { statement } = await make();
        const seen = new Map<string, LeaseAnswer>();
        const replaying = await through((ports) =>
          ports.map((port) => ({
            ...port,
            lease: async (request) => {
              const answer = seen.get(port.name) ?? (await port.lease(request));
              seen.set(port.name, answer);
              return answer;
            },
          })),
        );
        await lease(statement, replaying);
        return lease(statement, replaying);
      },
    ],
    [
      'no share',
      'SHARES_INSUFFICIENT',
      async () => lease((await make()).statement, await lying(({ sealedShare: _left, ...answer }) => answer)),
    ],
    [
      'receipts that nobody signed',
      'SHARES_INSUFFICIENT',
      async () => {
        const forged = async () => ({ index: 1, signature: toBase64(new Uint8Array(64)) });
        return make(await through((ports) => ports.map((port) => ({ ...port, depositLeasedKey: forged }))));
      },
    ],
    [
      'words about keys to seal to that are of other holders',
      'SEALING_KEY_INVALID',
      async () => {
        const [first, second] = world.ports();
        const changed = through((ports) =>
          ports.map((port, n) => ({ ...port, sealingKey: () => (n === 0 ? second! : first!).sealingKey() })),
        );
        return make(await changed);
      },
    ],
    [
      'words about keys to seal to that have expired',
      'SEALING_KEY_INVALID',
      async () => {
        const expired = async (n: number): Promise<SignedSealingKey> => {
          const { keys, subkeys } = world.holders[n]!.holder;
          const { chainId, packageId } = await world.chain.info();
          const { publicKey } = await subkeys.current();
          const times = { notBeforeMs: asTimestampMs(0), notAfterMs: asTimestampMs(1) };
          const about = { chainId, packageId, holderSigningKey: keys.signing.publicKey, publicKey };
          const message = encodeSealingKey({ ...about, ...times });
          const { secretKey } = keys.signing;
          const signature = await sign({ secretKey, domainTag: TAGS.sealingKey, message });
          return { statement: toBase64(message), signature: toBase64(signature) };
        };
        return make(await through((ports) => ports.map((port, n) => ({ ...port, sealingKey: () => expired(n) }))));
      },
    ],
  ])('gets no key with %s', async (_what, code, work) => {
    expect(await codeOf(work())).toBe(code);
  });

  it('code that the DAO has withdrawn gets neither a key nor leave', async () => {
    world.chain.put(
      'dao',
      aDao({ policy: aPolicy({ kinds: ['rag', 'train'], appraisal: { ...aPolicy().appraisal, measurements: [] } }) }),
    );
    expect(await codeOf(make())).toBe('ATTESTATION_REFUSED');
    expect(await codeOf(letOut())).toBe('ATTESTATION_REFUSED');
  });
});

describe('an output of training', () => {
  beforeEach(() => {
    for (const { manifest } of world.dealt) {
      world.grant(manifest.contributionId, { terms: someTerms({ kinds: ['train'], budgetMicroEpsilon: 1_000n }) });
    }
  });

  it('is let out by all three, the same again, and no other', async () => {
    const first = await letOut();
    expect(
      await isLetOut(first.token, first.signatures, await world.chain.holderSet(first.token.holderSetId), verify),
    ).toBe(true);
    expect(await letOut(await world.runner())).toEqual(first);
    expect(await codeOf(letOut(context, idOf<Digest>('another')))).toBe('EGRESS_SPENT');
  });

  it('of two runners that forked one job, at most one is let out', async () => {
    const [one, two] = [idOf<Digest>('one'), idOf<Digest>('two')];
    const both = await Promise.all([codeOf(letOut(context, one)), codeOf(letOut(await world.runner(), two))]);
    expect(both.filter((code) => code === 'none').length).toBeLessThanOrEqual(1);
    expect(both).toContain('EGRESS_SPENT');
  });

  it('waits for a holder that is away, and goes out when it is back', async () => {
    const one = await through((ports) => ports.map((port, n) => (n === 1 ? away(port) : port)));
    expect(await codeOf(letOut(one))).toBe('SHARES_INSUFFICIENT');
    expect((await letOut()).signatures).toHaveLength(3);
  });

  it('does not go out on a forged signature, nor from a session of questions', async () => {
    const forged = async () => ({ signature: toBase64(new Uint8Array(64)) });
    expect(
      await codeOf(letOut(await through((ports) => ports.map((port) => ({ ...port, grantEgress: forged }))))),
    ).toBe('SHARES_INSUFFICIENT');
    expect(await codeOf(askForEgress(context, await workOf(LATER), idOf<Digest>('answers')))).toBe('SCOPE_MISMATCH');
    const refusing = () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE'));
    expect(
      await codeOf(letOut(await through((ports) => ports.map((port) => ({ ...port, grantEgress: refusing }))))),
    ).toBe('SHARES_INSUFFICIENT');
  });

  it("a checkpoint's key is leased again in its job", async () => {
    const made = await make(context, TRAIN);
    expect(decodeLeasedKey(made.statement)).toMatchObject({ keyKind: 'checkpoint', expiresAtMs: TRAIN.expiresAtMs });
    expect((await lease(made.statement, await world.runner(), TRAIN)).keyAt(TEST_NOW_MS)).toEqual(
      made.lease.keyAt(TEST_NOW_MS),
    );
  });
});
