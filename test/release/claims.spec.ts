import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { refuse, toBase64 } from '@usufruct/kernel';
import { aDao, aHolderSet, aPolicy, idOf } from '@usufruct/testing';
import { HolderDirectory } from '../../apps/enclave-runner/src/keys/holder-directory.js';
import type { HolderPort } from '../../apps/enclave-runner/src/keys/holder-port.js';
import { away, ReleaseWorld } from './release-world.js';

let world: ReleaseWorld;
beforeEach(async () => {
  world = await ReleaseWorld.of(1);
});
afterEach(() => world.close());

const never = () => new Promise<never>(() => undefined);
/** Says that it is this one, and is not. */
const posingAs = (n: number, changes: Partial<HolderPort> = {}): HolderPort => {
  const real = world.holderPort(n);
  return {
    ...away(real),
    name: `liar ${n}`,
    identity: real.identity,
    challenge: async () => crypto.getRandomValues(new Uint8Array(32)),
    // An honest answer, of another holder.
    release: async (request) => world.holderPort((n + 1) % 3).release(request),
    ...changes,
  };
};
const late = (port: HolderPort, ms: number): HolderPort => ({
  ...port,
  identity: async () => {
    await setTimeout(ms);
    return port.identity();
  },
});
const keysOf = async (holders: readonly HolderPort[]): Promise<string[]> =>
  world.outcomes(await world.runner({ holders }));
const named = (): unknown[] => [
  ...new Set(
    world.lines.filter(({ event }) => event === 'release.member_passed_over').map(({ fields }) => fields['holder']),
  ),
];

describe('a holder that says it is another costs time and nothing else', () => {
  it('when it is the first in the list and answers at once; it is named', async () => {
    const [one, two] = world.ports() as [HolderPort, HolderPort];
    expect(await keysOf([posingAs(1), posingAs(0), one, two])).toEqual(['KEY']);
    expect(named()).toEqual(expect.arrayContaining(['liar 0', 'liar 1']));
  });

  it('when it never answers what it is asked', async () => {
    const [one, two] = world.ports() as [HolderPort, HolderPort];
    for (const slow of [{ challenge: never }, { release: never }]) {
      expect(await keysOf([posingAs(1, slow), one, two])).toEqual(['KEY']);
    }
  });

  it('when two of them claim every place that is needed, long before the members have answered', async () => {
    const [one, two] = world.ports() as [HolderPort, HolderPort];
    const holders = [posingAs(0), posingAs(1), posingAs(1), late(one, 1_500), late(two, 1_500)];
    expect(await keysOf(holders)).toEqual(['KEY']);
    expect(named()).toEqual(expect.arrayContaining(['liar 0', 'liar 1']));
  });

  it('when it makes up a refusal, or gives a challenge that it gave before', async () => {
    const [one, two] = world.ports() as [HolderPort, HolderPort];
    const refusing = { release: () => Promise.reject(refuse('GRANT_REVOKED')) };
    expect(await keysOf([posingAs(0, refusing), posingAs(1, refusing), one, two])).toEqual(['KEY']);
    const same = { challenge: async () => new Uint8Array(32).fill(7) };
    expect(await keysOf([posingAs(0, same), posingAs(1, same), one, two])).toEqual(['KEY']);
  });

  it('when it is the only one there, the others are asked once more and then it is refused', async () => {
    const [one] = world.ports() as [HolderPort];
    expect(await keysOf([posingAs(1), one])).toEqual(['SHARES_INSUFFICIENT']);
  });

  it('also where a set has no member besides those that somebody poses as', async () => {
    const set = await world.chain.holderSet(aDao().policy.holderSetId);
    world.chain.put('holder-set', aHolderSet({ ...set, members: set.members.slice(0, 2) }));
    world.chain.put('dao', aDao({ policy: aPolicy({ verifierThreshold: 2 }) }));
    const [one, two] = world.ports() as [HolderPort, HolderPort];
    expect(await keysOf([posingAs(0), posingAs(1), one, two])).toEqual(['KEY']);
  });
});

describe('the directory of holders', () => {
  const keyOf = (n: number): string => toBase64(world.holders[n]!.holder.keys.signing.publicKey);
  /** What only the holder with its own port can say. */
  const honest = async ({ name }: HolderPort): Promise<string> => {
    if (name.startsWith('liar')) throw refuse('UPSTREAM_INVALID', { upstream: name });
    return name;
  };

  it('asks all who claim a key until one answers well, and that one the next time', async () => {
    const { chainId } = await world.chain.info();
    const ports = [posingAs(1), ...world.ports(), posingAs(1)];
    const directory = new HolderDirectory(ports);
    expect(await directory.ask(keyOf(1), chainId, honest)).toBe(ports[2]!.name);
    const asked: string[] = [];
    await directory.ask(keyOf(1), chainId, async ({ name }) => asked.push(name));
    expect(asked).toEqual([ports[2]!.name]);
    await expect(directory.ask(toBase64(new Uint8Array(32)), chainId, honest)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
  });

  it('says what the holder refused rather than that another was wrong', async () => {
    const { chainId } = await world.chain.info();
    const directory = new HolderDirectory([posingAs(1), ...world.ports(), posingAs(1)]);
    const refusing = async (holder: HolderPort): Promise<string> => {
      await honest(holder);
      throw refuse('FORBIDDEN', { jobId: idOf('job') });
    };
    await expect(directory.ask(keyOf(1), chainId, refusing)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
