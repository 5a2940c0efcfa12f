import { beforeEach, describe, expect, it } from '@jest/globals';
import { asTimestampMs, refuse, toBase64, type ContributionId, type Hex32 } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { actingChain, aContribution, idOf, ManualClock, testWallet, type FakeChain } from '@usufruct/testing';
import { makeKnown, type MakeKnownParams } from './make-known.js';

type Stored = NonNullable<MakeKnownParams['earlier']>;

describe('making the new ends of leases known', () => {
  const contributionId = idOf<ContributionId>('contribution');
  const [part, manifest] = [idOf<Hex32>('part'), idOf<Hex32>('manifest')];
  let chain: FakeChain;
  let clock: ManualClock;
  let stored: (Stored | null)[];
  const run = (ends: Readonly<Record<string, number>>, earlier: Stored | null = null) =>
    makeKnown({
      chain,
      clock,
      signer: testWallet('keeper'),
      contributionId,
      ends,
      earlier,
      store: async (prepared) => void stored.push(prepared),
    });
  const ends = async () => {
    const { parts, manifestBlob } = await chain.contribution(contributionId);
    return [...parts, manifestBlob].map(({ endEpoch }) => endEpoch);
  };
  const once = (fault: () => void) => {
    const { send } = chain;
    let sent = 0;
    chain.send = async (transaction) => {
      if (sent++ === 0) fault();
      return send(transaction);
    };
    return () => sent;
  };

  beforeEach(() => {
    [chain, clock, stored] = [actingChain(), new ManualClock(), []];
    chain.put(
      'contribution',
      aContribution({
        id: contributionId,
        parts: [{ blob: part, sizeBytes: 1, endEpoch: 30 }],
        manifestBlob: { blob: manifest, sizeBytes: 1, endEpoch: 30 },
        tombstonedAtMs: null,
      }),
    );
  });

  it('stores what it has signed before it sends it', async () => {
    const wasStored: number[] = [];
    once(() => wasStored.push(stored.length));
    await run({ [part]: 40, [manifest]: 41 });
    expect(wasStored).toEqual([1]);
    expect(await ends()).toEqual([40, 41]);
  });

  it('leaves out what the chain has already, and what is none of the contribution', async () => {
    await run({ [part]: 30, [manifest]: 41, [idOf('elsewhere')]: 99 });
    expect(chain.executed).toMatchObject([[{ kind: 'renewLease', renewals: [{ blob: manifest, endEpoch: 41 }] }]]);
    await run({ [part]: 29, [manifest]: 41 });
    expect(chain.executed).toHaveLength(1);
  });

  it('looks up what it sent before, and sends it no second time', async () => {
    await run({ [part]: 40 });
    await run({ [part]: 40 }, stored[0]);
    expect(chain.executed).toHaveLength(1);
  });

  it('sends what was stored and never arrived, the same and no other', async () => {
    const prepared = await chain.prepare(
      [{ kind: 'renewLease', contributionId, renewals: [{ blob: part, endEpoch: 40 }] }],
      testWallet('keeper'),
    );
    await run({ [part]: 40 }, { ...prepared, bytes: toBase64(prepared.bytes), preparedAtMs: clock.nowMs() });
    expect(await ends()).toEqual([40, 30]);
    expect(stored).toEqual([]);
  });

  it('signs anew only what can no longer happen', async () => {
    const earlier = {
      digest: idOf<Stored['digest']>('lost'),
      bytes: toBase64(new Uint8Array([1])),
      signature: 'x',
      preparedAtMs: clock.nowMs(),
    };
    clock.advance(LIMITS.transactionTermMs + LIMITS.clockSkewMs + 1);
    await run({ [part]: 40 }, { ...earlier, preparedAtMs: asTimestampMs(earlier.preparedAtMs) });
    expect(await ends()).toEqual([40, 30]);
    expect(stored).toHaveLength(1);
  });

  it('forgets what came too late by the chain’s own clock, so that the next try signs anew', async () => {
    const sent = once(() => {
      throw refuse('TRANSACTION_EXPIRED');
    });
    await expect(run({ [part]: 40 })).rejects.toMatchObject({ code: 'TRANSACTION_EXPIRED' });
    expect(stored.at(-1)).toBeNull();
    await run({ [part]: 40 });
    expect(sent()).toBe(2);
    expect(await ends()).toEqual([40, 30]);
  });

  it('keeps what nobody knows the outcome of', async () => {
    once(() => {
      throw refuse('SETTLEMENT_UNKNOWN');
    });
    await expect(run({ [part]: 40 })).rejects.toMatchObject({ code: 'SETTLEMENT_UNKNOWN' });
    expect(stored).toHaveLength(1);
    expect(stored[0]).not.toBeNull();
  });
});
