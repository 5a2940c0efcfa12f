import { describe, expect, it } from '@jest/globals';
import { asAmount, type AmountUnits, type HolderSetId } from '@usufruct/kernel';
import fc from 'fast-check';
import { BLOB_LIFETIMES, COMPUTATION_KINDS, ON_REVOCATION, PROTECTION_KINDS } from './codes.js';
import { EVIDENCE_PROFILES } from './attestation-types.js';
import { policyAfter, policyDiff } from './policy-diff.js';
import { daoPolicyDigest, type DaoPolicy } from './policy-types.js';

const SET = `0x${'1'.repeat(64)}` as HolderSetId;
const OTHER_SET = `0x${'2'.repeat(64)}` as HolderSetId;
const policy: DaoPolicy = {
  pricePerQuestionUnits: asAmount(1_000_000n),
  purposes: ['DUO:0000042', 'dpv:ResearchAndDevelopment'],
  kinds: ['rag'],
  protections: ['tee'],
  split: { contributorsBps: 8_000, treasuryBps: 1_000, runnerBps: 800, protocolBps: 200 },
  holderSetId: SET,
  appraisal: { version: 1, profiles: ['tdx'], measurements: ['aa', 'bb'], resultTermMs: 1_000 },
  verifierThreshold: 2,
  maxJobTermMs: 60_000,
  onRevocation: 'cancel',
  blobs: 'deletable',
  selfQueriesPay: false,
};

describe('policyDiff', () => {
  it.each<[string, DaoPolicy, object[]]>([
    ['nothing', policy, []],
    [
      'the price',
      { ...policy, pricePerQuestionUnits: asAmount(2n) },
      [{ field: 'pricePerQuestionUnits', before: 1_000_000n, after: 2n }],
    ],
    [
      'two parts of the split',
      { ...policy, split: { ...policy.split, treasuryBps: 900, runnerBps: 900 } },
      [
        { field: 'treasuryBps', before: 1_000, after: 900 },
        { field: 'runnerBps', before: 800, after: 900 },
      ],
    ],
    [
      'verifiers',
      { ...policy, holderSetId: OTHER_SET, verifierThreshold: 3 },
      [
        { field: 'holderSetId', before: SET, after: OTHER_SET },
        { field: 'verifierThreshold', before: 2, after: 3 },
      ],
    ],
    [
      'a measurement for another',
      { ...policy, appraisal: { ...policy.appraisal, version: 2, measurements: ['aa', 'cc'] } },
      [
        { field: 'appraisalVersion', before: 1, after: 2 },
        { field: 'measurements', added: ['cc'], removed: ['bb'] },
      ],
    ],
    [
      'only the order',
      { ...policy, purposes: policy.purposes.toReversed() },
      [{ field: 'purposes', added: [], removed: [] }],
    ],
  ])('%s', (_what, after, changes) => {
    expect(policyDiff(policy, after)).toEqual(changes);
  });

  const some = <T extends string>(values: readonly T[]) => fc.subarray([...values], { minLength: 1 });
  const aPolicy = fc.record<DaoPolicy>({
    pricePerQuestionUnits: fc.bigInt({ min: 0n, max: 2n }) as fc.Arbitrary<AmountUnits>,
    purposes: some(policy.purposes),
    kinds: some(COMPUTATION_KINDS),
    protections: some(PROTECTION_KINDS),
    split: fc.record({
      contributorsBps: fc.nat(1),
      treasuryBps: fc.nat(1),
      runnerBps: fc.nat(1),
      protocolBps: fc.nat(1),
    }),
    holderSetId: fc.constantFrom(SET, OTHER_SET),
    appraisal: fc.record({
      version: fc.nat(1),
      profiles: some(EVIDENCE_PROFILES),
      measurements: some(['aa', 'bb', 'cc']),
      resultTermMs: fc.nat(1),
    }),
    verifierThreshold: fc.nat(1),
    maxJobTermMs: fc.nat(1),
    onRevocation: fc.constantFrom(...ON_REVOCATION),
    blobs: fc.constantFrom(...BLOB_LIFETIMES),
    selfQueriesPay: fc.boolean(),
  });
  /** The digest covers every field, so a field that the comparison forgot would show here. */
  it('is empty exactly where the digests are equal, and the other way round is the mirror', () => {
    fc.assert(
      fc.property(aPolicy, fc.oneof(aPolicy, fc.constant(null)), (before, other) => {
        const after = other ?? structuredClone(before);
        expect(policyDiff(before, after).length === 0).toBe(daoPolicyDigest(before) === daoPolicyDigest(after));
        const back = policyDiff(after, before).map((change) =>
          'added' in change
            ? { field: change.field, added: change.removed, removed: change.added }
            : { field: change.field, before: change.after, after: change.before },
        );
        expect(back).toEqual(policyDiff(before, after));
      }),
      { numRuns: 500 },
    );
  });
});

describe('policyAfter', () => {
  const changedBy = (effect: Parameters<typeof policyAfter>[1]) => {
    const after = policyAfter(policy, effect);
    return after === null ? null : policyDiff(policy, after).map(({ field }) => field);
  };
  it.each<[Parameters<typeof policyAfter>[1], string[] | null]>([
    [{ kind: 'setPrice', pricePerQuestionUnits: asAmount(5n) }, ['pricePerQuestionUnits']],
    [{ kind: 'setPurposes', purposes: ['DUO:0000042'] }, ['purposes']],
    [{ kind: 'setSplit', split: { ...policy.split, treasuryBps: 999, runnerBps: 801 } }, ['treasuryBps', 'runnerBps']],
    [{ kind: 'approveMeasurement', measurement: 'cc' }, ['appraisalVersion', 'measurements']],
    [{ kind: 'withdrawMeasurement', measurement: 'aa' }, ['appraisalVersion', 'measurements']],
    [{ kind: 'setVerifiers', holderSetId: OTHER_SET, verifierThreshold: 1 }, ['holderSetId', 'verifierThreshold']],
    [
      {
        kind: 'setTerms',
        kinds: ['stats'],
        protections: ['mpc'],
        profiles: ['snp'],
        resultTermMs: 5,
        maxJobTermMs: 6,
      },
      ['maxJobTermMs', 'resultTermMs', 'appraisalVersion', 'kinds', 'protections', 'profiles'],
    ],
    [
      { kind: 'setDataRules', onRevocation: 'finish', blobs: 'permanent', selfQueriesPay: true },
      ['onRevocation', 'blobs', 'selfQueriesPay'],
    ],
    [{ kind: 'unpause' }, null],
  ])('%j', (effect, fields) => {
    expect(changedBy(effect)).toEqual(fields);
  });
});
