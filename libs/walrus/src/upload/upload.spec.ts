import { beforeEach, describe, expect, it } from '@jest/globals';
import { UsufructError, type BlobId } from '@usufruct/kernel';
import { FakeLeaseChain, FakeTransport, seededRandom } from '@usufruct/testing';
import type { BlobStore, StoredBlob } from '../blob-store.js';
import type { LeaseChain, Transport, UploadJournal } from './ports.js';
import { uploadBlobStore } from './upload-blob-store.js';

const BYTES = new TextEncoder().encode('ciphertext');
const KEY = { resumeKey: 'part/0', epochs: 5 };

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );

class Killed extends Error {}

/** Passes so many operations; the next one is cut, before it was done or after. */
class Fuse {
  passed = 0;
  constructor(
    private readonly at: number,
    private readonly done: boolean,
  ) {}
  guard<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          const isCut = this.passed++ === this.at;
          if (isCut && !this.done) throw new Killed();
          // A process that was killed does nothing more.
          if (this.passed > this.at + 1) throw new Killed();
          const result: unknown = await Reflect.apply(member, object, args);
          if (isCut) throw new Killed();
          return result;
        };
      },
    });
  }
}
const NEVER = new Fuse(Number.POSITIVE_INFINITY, false);

class World {
  readonly records = new Map<string, string>();
  readonly chain = new FakeLeaseChain();
  readonly transport: FakeTransport;
  constructor(tipMist: bigint | null) {
    this.transport = new FakeTransport(this.chain, tipMist);
  }
  readonly journal: UploadJournal = {
    get: async (key) => this.records.get(key) ?? null,
    put: async (key, value) => void this.records.set(key, value),
    delete: async (key) => void this.records.delete(key),
  };
  /** A process: what it has in memory is gone with it. */
  store(fuse: Fuse = NEVER, seed = 'process'): BlobStore {
    const { stored } = this.transport;
    return uploadBlobStore({
      chain: fuse.guard<LeaseChain>(this.chain),
      transport: fuse.guard<Transport>(this.transport),
      journal: fuse.guard(this.journal),
      random: seededRandom(seed),
      maxQuiltFiles: 0,
      encodeQuilt: () => Promise.reject(new Error('none')),
      readers: fuse.guard({
        get: async (blobId: BlobId) => stored.get(blobId)!,
        getPatch: async () => new Uint8Array(),
        status: async (blobId: BlobId) => ({
          available: stored.has(blobId),
          certified: null,
          sizeBytes: null,
          endEpoch: null,
          deletable: null,
        }),
      }),
    });
  }
  /** As often as it takes, each time in a new process, as it is for whoever has no answer. */
  async putUntilDone(cuts: Iterable<Fuse>, between: () => void = () => undefined): Promise<StoredBlob> {
    for (const fuse of cuts) {
      try {
        return await this.store(fuse).put(BYTES, KEY);
      } catch (error) {
        const isPassing = error instanceof UsufructError && error.entry.retry === 'later';
        if (!(error instanceof Killed || isPassing)) throw error;
        between();
      }
    }
    throw new Error('it did not end');
  }
  certifiedBlobs(): number {
    return [...this.chain.blobs.values()].filter(({ certified }) => certified).length;
  }
  count(step: string): number {
    return this.chain.steps.filter((each) => each === step).length;
  }
}

describe('an upload by a wallet of its own', () => {
  let world: World;
  beforeEach(() => {
    world = new World(100n);
  });

  it('registers, pays the relay, uploads and certifies, once, and gives the same again', async () => {
    const first = await world.store().put(BYTES, KEY);
    expect(world.chain.steps).toEqual(['register', 'certify']);
    expect(first).toMatchObject({ sizeBytes: BYTES.length, endEpoch: 15 });
    expect(world.chain.blobs.get(first.objectId!)).toMatchObject({ certified: true, blobId: first.blobId });
    expect(await world.store().put(BYTES, KEY)).toEqual(first);
    expect(world.chain.steps).toEqual(['register', 'certify']);
    expect(await world.store().get(first.blobId)).toEqual(BYTES);
  });

  it.each(['request', 'answer'] as const)('pays once where the %s of the registration is lost', async (lost) => {
    world.chain.loseNext = lost;
    expect(await codeOf(world.store().put(BYTES, KEY))).toBe('SETTLEMENT_UNKNOWN');
    expect(await codeOf(world.store().put(BYTES, KEY))).toBe('accepted');
    expect(world.chain.steps).toEqual(['register', 'certify']);
  });

  it('sees a certification that timed out after it happened, in the same call', async () => {
    const { chain } = world;
    const send = chain.send;
    chain.send = (prepared) => {
      if (chain.steps.includes('register')) chain.loseNext = 'answer';
      return send(prepared);
    };
    expect(await codeOf(world.store().put(BYTES, KEY))).toBe('accepted');
    expect(chain.steps).toEqual(['register', 'certify']);
  });

  it('registers anew only when the first registration can happen no more', async () => {
    world.chain.loseNext = 'request';
    expect(await codeOf(world.store().put(BYTES, KEY))).toBe('SETTLEMENT_UNKNOWN');
    world.chain.epoch++;
    expect(await codeOf(world.store().put(BYTES, KEY))).toBe('accepted');
    expect(world.chain.steps).toEqual(['register', 'certify']);
    expect(world.chain.blobs.size).toBe(1);
  });

  it('asks for a new certificate when the epoch of the first one is over, and pays a relay again that wants it', async () => {
    // Cut right before the certification is prepared: the certificate is in the journal.
    const { chain } = world;
    const prepare = chain.prepareCertification;
    chain.prepareCertification = () => Promise.reject(new Killed());
    await expect(world.store().put(BYTES, KEY)).rejects.toThrow(Killed);
    chain.prepareCertification = prepare;
    chain.epoch++;
    expect(await codeOf(world.store().put(BYTES, KEY))).toBe('accepted');
    expect(chain.steps).toEqual(['register', 'certify refused', 'tip', 'certify']);
    expect(world.certifiedBlobs()).toBe(1);
  });

  it('does not pay a relay again that refuses a fresh tip', async () => {
    const upload = world.transport.upload;
    world.transport.upload = (params) => upload({ ...params, tipDigest: null });
    expect(await codeOf(world.store().put(BYTES, KEY))).toBe('UPSTREAM_INVALID');
    expect(world.chain.steps).toEqual(['register']);
    // Later it may be too old, so it is paid again, but not for ever.
    for (let i = 0; i < 6; i++) expect(await codeOf(world.store().put(BYTES, KEY))).toBe('UPSTREAM_INVALID');
    expect(world.count('tip')).toBe(3);
    expect(world.count('register')).toBe(1);
  });

  it('begins again when the lease ran out before it was finished, or was deleted', async () => {
    const stored = await world.store().put(BYTES, { ...KEY, deletable: true });
    await world.store().delete({ blobId: stored.blobId, objectId: stored.objectId });
    const again = await world.store().put(BYTES, { ...KEY, deletable: true });
    expect(again.objectId).not.toBe(stored.objectId);
    world.chain.epoch = again.endEpoch;
    expect((await world.store().put(BYTES, { ...KEY, deletable: true })).endEpoch).toBe(again.endEpoch + KEY.epochs);
    expect(world.count('register')).toBe(3);
  });

  it('refuses other bytes, another lease or another owner under the same key', async () => {
    await world.store().put(BYTES, KEY);
    expect(await codeOf(world.store().put(BYTES.slice(1), KEY))).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await codeOf(world.store().put(BYTES, { ...KEY, epochs: 6 }))).toBe('IDEMPOTENCY_KEY_REUSED');
    const owner = `0x${'1'.repeat(64)}` as const;
    expect(await codeOf(world.store().put(BYTES, { ...KEY, owner: owner as never }))).toBe('STORE_UNSUPPORTED');
    expect(world.count('register')).toBe(1);
  });

  it('takes other terms as long as nothing was registered', async () => {
    const { chain } = world;
    const { prepareRegistration } = chain;
    chain.prepareRegistration = () => Promise.reject(new Killed());
    await expect(world.store().put(BYTES, KEY)).rejects.toThrow(Killed);
    chain.prepareRegistration = prepareRegistration;
    expect((await world.store().put(BYTES, { ...KEY, epochs: 7 })).endEpoch).toBe(chain.epoch + 7);
  });

  it('waits for a node that is a little behind', async () => {
    const { chain } = world;
    const { lease } = chain;
    let looks = 0;
    chain.lease = async (objectId) => (looks++ === 0 ? null : lease(objectId));
    expect(await codeOf(world.store().put(BYTES, KEY))).toBe('accepted');
    expect(chain.steps).toEqual(['register', 'certify']);
  });

  it('keeps nothing of an upload without a key', async () => {
    await world.store().put(BYTES);
    expect(world.records.size).toBe(0);
  });

  it('refuses a damaged journal instead of paying again', async () => {
    await world.store().put(BYTES, KEY);
    for (const text of ['', '{', '{"version":1}']) {
      world.records.set('part/0/upload', text);
      expect(await codeOf(world.store().put(BYTES, KEY))).toBe('UPSTREAM_INVALID');
    }
    expect(world.count('register')).toBe(1);
  });

  it('sends one transaction of the wallet after the other', async () => {
    let underWay = 0;
    const { chain } = world;
    const send = chain.send;
    chain.send = async (prepared) => {
      expect(++underWay).toBe(1);
      await new Promise((done) => setTimeout(done, 5));
      const result = await send(prepared);
      underWay--;
      return result;
    };
    const store = world.store();
    const puts = [0, 1, 2, 3].map((i) => store.put(Uint8Array.of(i), { resumeKey: `part/${i}` }));
    expect(new Set((await Promise.all(puts)).map(({ blobId }) => blobId)).size).toBe(4);
  });

  it('stops between steps when the caller aborts, and goes on later', async () => {
    const controller = new AbortController();
    const { chain } = world;
    const send = chain.send;
    chain.send = async (prepared) => {
      controller.abort(new Error('enough'));
      return send(prepared);
    };
    expect(await codeOf(world.store().put(BYTES, { ...KEY, signal: controller.signal }))).toBe('Error: enough');
    expect(chain.steps).toEqual(['register']);
    expect(await codeOf(world.store().put(BYTES, KEY))).toBe('accepted');
    expect(chain.steps).toEqual(['register', 'certify']);
  });

  it.each([null, 100n])('cut at any of its operations, before or after: pays once and ends (tip %p)', async (tip) => {
    const whole = new Fuse(Number.POSITIVE_INFINITY, false);
    await new World(tip).store(whole).put(BYTES, KEY);
    expect(whole.passed).toBeGreaterThan(10);
    for (let at = 0; at < whole.passed; at++) {
      for (const done of [false, true]) {
        const cut = new World(tip);
        const stored = await cut.putUntilDone([new Fuse(at, done), NEVER]);
        expect(await cut.store().get(stored.blobId)).toEqual(BYTES);
        expect([at, done, cut.chain.steps]).toEqual([at, done, ['register', 'certify']]);
      }
    }
  });

  it('of 1,000 uploads cut at random, again and again, over epochs: none pays twice for one lease, all end', async () => {
    let cuts = 0;
    for (let seed = 0; seed < 1_000; seed++) {
      const draw = drawing(seed);
      const cut = new World(draw(2) === 0 ? null : 100n);
      const fuses = function* (): Generator<Fuse> {
        for (let i = draw(6); i > 0; i--) yield new Fuse(draw(24), draw(2) === 0);
        for (let i = 0; i < 10; i++) yield NEVER;
      };
      const stored = await cut.putUntilDone(fuses(), () => {
        cuts++;
        if (draw(4) === 0) cut.chain.loseNext = draw(2) === 0 ? 'request' : 'answer';
        if (draw(6) === 0) cut.chain.epoch++;
      });
      // Counted as stored: it is there, certified, and has a lease.
      expect(await cut.store().get(stored.blobId)).toEqual(BYTES);
      const lease = cut.chain.blobs.get(stored.objectId!)!;
      expect(lease).toMatchObject({ certified: true, endEpoch: stored.endEpoch });
      expect(lease.endEpoch).toBeGreaterThan(cut.chain.epoch);
      // Paid twice only where the first lease had run out: with five epochs and at most five steps of one, hardly ever.
      const others = [...cut.chain.blobs.values()].filter(({ objectId }) => objectId !== stored.objectId);
      expect(others.every(({ endEpoch }) => endEpoch <= cut.chain.epoch)).toBe(true);
      expect(cut.count('register')).toBe(1 + others.length);
      expect(cut.count('certify')).toBe(cut.certifiedBlobs());
    }
    expect(cuts).toBeGreaterThan(1_000);
  });
});

/** Numbers below `n`, the same for the same seed. */
function drawing(seed: number): (n: number) => number {
  const random = seededRandom(`cuts ${seed}`);
  return (n) => new DataView(Uint8Array.from(random(4)).buffer).getUint32(0) % n;
}

describe('leases of a wallet', () => {
  it('are renewed until an epoch, once, also where the answer was lost', async () => {
    const world = new World(null);
    const { blobId, objectId, endEpoch } = await world.store().put(BYTES, KEY);
    expect(await world.store().extend({ blobId, objectId }, endEpoch)).toEqual({ endEpoch });
    world.chain.loseNext = 'answer';
    expect(await codeOf(world.store().extend({ blobId }, endEpoch + 3))).toBe('SETTLEMENT_UNKNOWN');
    expect(await world.store().extend({ blobId }, endEpoch + 3)).toEqual({ endEpoch: endEpoch + 3 });
    world.chain.loseNext = 'request';
    expect(await codeOf(world.store().extend({ blobId }, endEpoch + 5))).toBe('SETTLEMENT_UNKNOWN');
    // The lost one is sent again, and what is missing is bought beside it.
    expect(await world.store().extend({ blobId }, endEpoch + 9)).toEqual({ endEpoch: endEpoch + 9 });
    expect(world.count('extend')).toBe(3);
    expect(await codeOf(world.store().extend({ blobId }, world.chain.epoch + 54))).toBe('INVALID_ARGUMENT');
    world.chain.epoch = endEpoch + 9;
    expect(await codeOf(world.store().extend({ blobId, objectId }, endEpoch + 20))).toBe('BLOB_UNAVAILABLE');
  });

  it('are ended only where they are deletable, and say what they are', async () => {
    const world = new World(null);
    const permanent = await world.store().put(BYTES, KEY);
    expect(await world.store().status(permanent.blobId)).toEqual({
      available: true,
      certified: true,
      sizeBytes: BYTES.length,
      endEpoch: permanent.endEpoch,
      deletable: false,
    });
    expect(await codeOf(world.store().delete(permanent))).toBe('BLOB_PERMANENT');
    const deletable = await world.store().put(BYTES.slice(1), { resumeKey: 'part/1', deletable: true });
    world.chain.loseNext = 'answer';
    expect(await codeOf(world.store().delete(deletable))).toBe('SETTLEMENT_UNKNOWN');
    await world.store().delete(deletable);
    await world.store().delete(deletable);
    expect(world.count('delete')).toBe(1);
    expect(world.chain.blobs.size).toBe(1);
  });
});
