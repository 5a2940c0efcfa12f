import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, asWeight, toHex32, UsufructError, type Digest, type Hex32 } from '@usufruct/kernel';
import {
  encodeOpening,
  encodePaddedOpening,
  LIMITS,
  UsageReceiptBcs,
  usesCommitment,
  type Opening,
  type UsageReceipt,
  type Use,
} from '@usufruct/protocol';
import fc from 'fast-check';
import { saltsFrom } from './epochs.js';
import { privateReceiptOf, readOpening, requirePrice } from './openings.js';

const idOf = <T extends Hex32>(n: number): T => toHex32<T>(new Uint8Array(32).fill(n));
const SALT = idOf<Hex32>(9);
const receiptOver = (uses: readonly Use[]): UsageReceipt => ({
  chainId: 'local:test',
  packageId: idOf(1),
  registryId: idOf(2),
  jobId: idOf(3),
  questionId: idOf(4),
  signerKind: 'tee',
  signerPublicKey: new Uint8Array(32).fill(5),
  evidenceDigest: idOf<Digest>(6),
  codeHash: idOf<Digest>(7),
  modelHash: idOf<Digest>(8),
  attributionMethod: 'test/v1',
  usesCommitment: usesCommitment(SALT, uses),
  resultCommitment: idOf<Digest>(10),
  budgetSpentMicroEpsilon: 0n,
  priceUnits: asAmount(uses.length === 0 ? 0n : 1_000n),
  issuedAtMs: asTimestampMs(1),
});
const openingOf = (uses: readonly Use[]): Opening => ({
  receipt: UsageReceiptBcs.serialize(receiptOver(uses)).toBytes(),
  signature: new Uint8Array(64).fill(11),
  usesSalt: SALT,
  uses,
});
/** Ids ascend, and the first has a weight. */
const someUses = fc.array(fc.bigInt(0n, 2n ** 40n), { maxLength: 12 }).map((weights) =>
  weights.map((weight, i): Use => ({
    contributionId: idOf(i + 1),
    grantId: idOf(i + 101),
    weight: asWeight(i === 0 ? weight + 1n : weight),
  })),
);

describe('an opening', () => {
  it('is read as it was written, whatever was used', () => {
    fc.assert(
      fc.property(someUses, (uses) => {
        const opening = openingOf(uses);
        expect(readOpening(encodePaddedOpening(opening)).opening).toEqual(opening);
      }),
    );
  });

  it('with one bit changed is refused, or is another receipt, or has another signature', () => {
    fc.assert(
      fc.property(someUses, fc.nat(), fc.nat(7), (uses, place, bit) => {
        const opening = openingOf(uses);
        const bytes = encodePaddedOpening(opening);
        const at = place % bytes.length;
        const changed = bytes.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte));
        const { digest } = readOpening(bytes);
        try {
          const read = readOpening(changed);
          // The commitment holds the uses to the receipt, the receipt's signature (checked elsewhere) the rest.
          expect(read.opening.uses).toEqual(uses);
          const isOther = read.digest !== digest || Buffer.compare(read.opening.signature, opening.signature) !== 0;
          expect(isOther).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(UsufructError);
          expect((error as UsufructError).code).toBe('RECEIPT_INVALID');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of any size but the one that all have is refused before it is parsed', () => {
    const [padded, checks] = [encodePaddedOpening(openingOf([])), [] as unknown[]];
    for (const bytes of [new Uint8Array([...padded, 0]), padded.slice(0, -1), encodeOpening(openingOf([]))]) {
      try {
        readOpening(bytes);
      } catch (error) {
        checks.push((error as UsufructError).details['check']);
      }
    }
    expect(checks).toEqual(['size', 'size', 'size']);
    const most = Array.from({ length: LIMITS.usesPerReceipt }, (_, i): Use => ({
      contributionId: idOf(i + 1),
      grantId: idOf(i + 101),
      weight: asWeight(2n ** 63n),
    }));
    expect(encodeOpening(openingOf(most)).length).toBeLessThan(LIMITS.openingBytes);
  });

  it('is padded with zeros and nothing else', () => {
    const [padded, { length }] = [encodePaddedOpening(openingOf([])), encodeOpening(openingOf([]))];
    for (const at of [length, LIMITS.openingBytes - 1]) {
      expect(() => readOpening(padded.map((byte, i) => (i === at ? 1 : byte)))).toThrow(UsufructError);
    }
    expect(readOpening(padded).opening.uses).toEqual([]);
  });

  it('has the price of its job, or none when nobody was used, and owners that the chain knows', () => {
    const split = { contributorsBps: 10_000, treasuryBps: 0, runnerBps: 0, protocolBps: 0 };
    const job = { pricePerQuestionUnits: asAmount(1_000n), split };
    const [use] = [{ contributionId: idOf(1), grantId: idOf(101), weight: asWeight(1n) } as Use];
    const read = readOpening(encodePaddedOpening(openingOf([use])));
    expect(() => requirePrice(read, { pricePerQuestionUnits: asAmount(999n) })).toThrow(UsufructError);
    expect(() => requirePrice(readOpening(encodePaddedOpening(openingOf([]))), job)).not.toThrow();
    expect(() => privateReceiptOf(read, job, new Map())).toThrow(UsufructError);
    const owner = idOf<Hex32>(50) as never;
    expect(privateReceiptOf(read, job, new Map([[use.contributionId, owner]]))).toEqual({
      priceUnits: 1_000n,
      split,
      uses: [{ contributionId: use.contributionId, weight: 1n, owner }],
    });
  });
});

describe('the salts of an epoch', () => {
  it('follow from the seed, each another one, and another seed gives others', () => {
    const of = (seed: number, n = 50): string[] => {
      const salts = saltsFrom(new Uint8Array(32).fill(seed));
      return Array.from({ length: n }, () => toHex32(salts(32)));
    };
    expect(of(1)).toEqual(of(1));
    expect(new Set([...of(1), ...of(2)]).size).toBe(100);
  });
});
