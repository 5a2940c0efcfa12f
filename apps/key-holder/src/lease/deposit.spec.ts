import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, type Digest } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { idOf, TEST_NOW_MS } from '@usufruct/testing';
import { SEALING_TERMS } from '../sealing/subkeys.js';
import {
  RAG,
  TRAIN,
  stranger,
  chain,
  clock,
  holders,
  currentVersion,
  makeKey,
  depositAt,
  revoke,
  logged,
  useLeasingHolders,
} from '../testing/leasing-holders.js';

useLeasingHolders();

describe('a deposit is refused', () => {
  const rows: [string, string, () => Promise<{ code?: string }>][] = [
    [
      'of the version of before a revocation',
      'KEY_SUPERSEDED',
      async () => {
        const made = await makeKey();
        revoke(1);
        return depositAt(0, made);
      },
    ],
    [
      "with another use's version",
      'KEY_SUPERSEDED',
      async () => depositAt(0, await makeKey({ grantSetVersion: await currentVersion(TRAIN) })),
    ],
    [
      "under another dataset's name",
      'INVALID_ARGUMENT',
      async () => depositAt(0, await makeKey({ datasetId: idOf('another') })),
    ],
    ['for another chain', 'INVALID_ARGUMENT', async () => depositAt(0, await makeKey({ chainId: 'local:other' }))],
    [
      'for another price',
      'INVALID_ARGUMENT',
      async () => depositAt(0, await makeKey({ pricePerQuestionUnits: asAmount(9n) })),
    ],
    [
      'for longer than an index lasts',
      'INVALID_ARGUMENT',
      async () => depositAt(0, await makeKey({ expiresAtMs: asTimestampMs(TEST_NOW_MS + 2 * LIMITS.indexKeyTermMs) })),
    ],
    [
      'of a checkpoint in a session of questions',
      'SCOPE_MISMATCH',
      async () => depositAt(0, await makeKey({ keyKind: 'checkpoint' })),
    ],
    [
      'of another version of the holder set',
      'KEY_SUPERSEDED',
      async () => depositAt(0, await makeKey({ holderSetVersion: 2 })),
    ],
    [
      'of a share that is not on the polynomial',
      'SHARE_INVALID',
      async () => depositAt(0, await makeKey(), { share: { index: 1, value: (await makeKey()).shares[0]!.value } }),
    ],
    [
      "of another holder's share",
      'SHARE_INVALID',
      async () => {
        const made = await makeKey();
        return depositAt(0, made, { share: made.shares[1]! });
      },
    ],
    [
      'of a share that was sealed for another key',
      'SHARE_INVALID',
      async () => depositAt(0, await makeKey(), { seals: idOf<Digest>('other') }),
    ],
    [
      'with commitments that are no points',
      'SHARE_INVALID',
      async () => {
        const commitments = [new Uint8Array(32).fill(255), new Uint8Array(32).fill(255)];
        return depositAt(0, await makeKey({ commitments }));
      },
    ],
    [
      'with a commitment too few',
      'SHARE_INVALID',
      async () => {
        const { commitments } = (await makeKey()).key;
        return depositAt(0, await makeKey({ commitments: commitments.slice(1) }));
      },
    ],
    [
      'where nothing may be used',
      'NO_USABLE_DATA',
      async () => {
        for (const n of [1, 2, 3]) revoke(n);
        return depositAt(0, await makeKey());
      },
    ],
    [
      'in a job that is over',
      'JOB_STATE',
      async () => {
        chain.put('job', { ...RAG, state: 'cancelled' });
        return depositAt(0, await makeKey());
      },
    ],
    [
      'sealed to the key on the chain',
      'SEALING_KEY_RETIRED',
      async () => depositAt(0, await makeKey(), { to: holders[0]!.holder.keys.sealing }),
    ],
    [
      'sealed to a key whose grace is over',
      'SEALING_KEY_RETIRED',
      async () => {
        const { subkeys, keyring } = holders[0]!.holder;
        const to = await subkeys.current();
        await keyring.sealing.rotate();
        clock.advance(SEALING_TERMS.graceMs);
        return depositAt(0, await makeKey(), { to });
      },
    ],
    [
      'of bytes that are no key',
      'INVALID_ARGUMENT',
      async () => depositAt(0, { ...(await makeKey()), bytes: new Uint8Array(9) }),
    ],
    [
      'by who did not sign for it',
      'SIGNATURE_INVALID',
      async () => depositAt(0, await makeKey(), { about: idOf<Digest>('x') }),
    ],
    ['by other roots', 'ATTESTATION_REFUSED', async () => depositAt(0, await makeKey(), { by: stranger })],
  ];
  it.each(rows)('%s', async (_what, code, deposit) => {
    expect((await deposit()).code).toBe(code);
    expect(holders[0]!.holder.leasedKeys.living()).toEqual([]);
    const isKnown = !/^(SIGNATURE|ATTESTATION)/.test(code) && _what !== 'of bytes that are no key';
    expect(logged(0)).toEqual(isKnown ? [`lease ${code}`] : []);
  });

  it('beyond so many of one job', async () => {
    for (let i = 0; i < LIMITS.leasedKeysPerJob; i++) expect((await depositAt(0, await makeKey())).index).toBe(1);
    expect((await depositAt(0, await makeKey())).code).toBe('RATE_LIMITED');
  });

  it('beyond so many of one job, also where two come at once', async () => {
    for (let i = 1; i < LIMITS.leasedKeysPerJob; i++) expect((await depositAt(0, await makeKey())).index).toBe(1);
    const both = [await makeKey(), await makeKey()];
    const answers = await Promise.all(both.map((made) => depositAt(0, made)));
    expect(answers.map(({ code }) => code ?? 'taken').sort()).toEqual(['RATE_LIMITED', 'taken']);
  });

  it('twice, where the same comes twice at once', async () => {
    const made = await makeKey();
    const answers = await Promise.all([depositAt(0, made), depositAt(0, made)]);
    expect(answers[0]).toEqual(answers[1]);
    expect(logged(0)).toEqual(['lease STORED']);
  });
});
