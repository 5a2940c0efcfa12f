import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  combineCommitments,
  combineSubShares,
  dealSubShares,
  deriveSessionKey,
  keyCommitment,
  type Share,
} from '@usufruct/crypto';
import { fromHex, type Address, type Logger } from '@usufruct/kernel';
import { TAGS, type Manifest } from '@usufruct/protocol';
import { dealManifest, idOf, type DealtManifest } from '@usufruct/testing';
import { SessionKeys } from './session-key.js';
import type { ReleasedShare } from './verify-release.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

let dealt: DealtManifest;
let manifest: Manifest;
let sessionKey: Uint8Array;
beforeEach(() => {
  dealt = dealManifest(idOf<Address>('contributor'), {}, random);
  const context = fromHex(dealt.manifest.contributionId);
  sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret: dealt.secret, context });
  const committed = keyCommitment({ domainTag: TAGS.keyCommitment, sessionKey, context });
  manifest = { ...dealt.manifest, keyCommitment: committed };
});

const origin = (...indexes: number[]): ReleasedShare[] =>
  indexes.map((index) => ({ ...dealt.shares[index - 1]!, commitments: null }));
/** The secret shared again, 2 of 3. */
function reshared(): ReleasedShare[] {
  const deals = [1, 2].map((dealerIndex) => ({
    dealerIndex,
    ...dealSubShares({ share: dealt.shares[dealerIndex - 1]!, threshold: 2, holderCount: 3, random }),
  }));
  const commitments = combineCommitments(deals, dealt.manifest.keys.commitments[0]!);
  return [1, 2, 3].map((j): ReleasedShare => {
    const parts = deals.map(({ dealerIndex, subShares }) => ({ dealerIndex, subShare: subShares[j - 1]! }));
    return { ...combineSubShares(parts, j), commitments };
  });
}
const keyOf = (shares: readonly ReleasedShare[]): Uint8Array =>
  new SessionKeys({ shares: new Map([[manifest.contributionId, shares]]) }, silent).keyOf(manifest);
const wrong = (share: ReleasedShare): ReleasedShare => ({ ...share, value: scalar(7) });
const scalar = (value: number): Share['value'] => Uint8Array.of(value, ...new Uint8Array(31));

describe('the key from shares of one polynomial', () => {
  it('is the same from the contributor’s shares, from re-shared ones, and with some of each', () => {
    const [one, two, three] = reshared();
    expect(keyOf(origin(1, 3))).toEqual(sessionKey);
    expect(keyOf([three!, one!])).toEqual(sessionKey);
    // Holders between two versions: one of each kind is not enough, two of one are.
    expect(keyOf([...origin(1), two!, three!])).toEqual(sessionKey);
    expect(keyOf([two!, ...origin(1, 3)])).toEqual(sessionKey);
  });

  it('is not made of shares of two', () => {
    const [one] = reshared();
    const other = reshared()[1]!;
    for (const mixed of [
      [one!, ...origin(2)],
      [one!, other],
    ]) {
      expect(() => keyOf(mixed)).toThrow(expect.objectContaining({ code: 'SHARES_INSUFFICIENT' }));
    }
  });

  it('is had although a holder lies about its share, its place or its polynomial', () => {
    const [one, two, three] = reshared();
    const { commitments } = one!;
    const swapped = [commitments![0]!, dealt.manifest.keys.commitments[1]!];
    const foreign = [dealt.manifest.keys.commitments[1]!, commitments![1]!];
    const liars: ReleasedShare[] = [
      wrong(one!),
      { ...one!, index: 2 },
      { ...one!, commitments: swapped },
      { ...one!, commitments: foreign },
      { ...one!, commitments: [] },
      { ...one!, commitments: [commitments![0]!, new Uint8Array(32).fill(255)] },
      { ...one!, commitments: [commitments![0]!] },
      { ...one!, commitments: null },
    ];
    for (const liar of liars) expect(keyOf([liar, two!, three!])).toEqual(sessionKey);
  });
});
