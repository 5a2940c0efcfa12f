import { bcs } from '@mysten/bcs';
import type { ContributionId, DatasetId, Digest, GrantId, HolderSetId, JobId, TimestampMs } from '@usufruct/kernel';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
import { COMPUTATION_OUTPUTS, LEASED_KEY_KINDS, type LeasedKeyKind, type OutputKind } from './codes.js';
import { ComputationKindBcs, ProtectionKindBcs } from './consent-types.js';

/** What every entry of a holder's log says: who asked, shown by which evidence, and what was decided when. */
interface Asked {
  readonly holderSetId: HolderSetId;
  readonly jobId: JobId;
  readonly datasetId: DatasetId;
  readonly measurement: string;
  readonly runnerSigningKey: Uint8Array;
  readonly evidenceDigest: Digest;
  readonly atMs: TimestampMs;
}
interface AskedFor extends Asked {
  readonly purpose: string;
  readonly kind: 'rag' | 'train' | 'stats';
  readonly protection: 'tee' | 'mpc' | 'fhe';
}

/** A decision about the key of one contribution; refusals are logged too. */
export interface ReleaseLeaf extends AskedFor {
  /** Position of the share, from 1. */
  readonly shareIndex: number;
  readonly contributionId: ContributionId;
  /** All zero where no grant exists. */
  readonly grantId: GrantId;
  /** `RELEASED` or the catalogue code of the refusal. */
  readonly decision: string;
}

/** A decision about a leased key: the key of an index over a dataset, or of a job's checkpoints. */
export interface LeaseLeaf extends AskedFor {
  /** Position of the share, from 1; 0 where this holder has none. */
  readonly shareIndex: number;
  readonly keyId: Digest;
  readonly keyKind: LeasedKeyKind;
  /** Of the grants that this holder saw in force for that use at that moment. */
  readonly grantSetVersion: Digest;
  /** `STORED`, `LEASED` or the catalogue code of the refusal. */
  readonly decision: string;
  /** Until when the runner may have the key; 0 where it was not given. */
  readonly leasedUntilMs: TimestampMs;
}

/** A decision about what may leave a job. */
export interface EgressLeaf extends Asked {
  /** Position of the holder in its set, from 0. */
  readonly member: number;
  readonly outputKind: OutputKind;
  readonly outputDigest: Digest;
  /** `GRANTED` or the catalogue code of the refusal. */
  readonly decision: string;
}

export type LogLeaf =
  | { readonly type: 'release'; readonly leaf: ReleaseLeaf }
  | { readonly type: 'lease'; readonly leaf: LeaseLeaf }
  | { readonly type: 'egress'; readonly leaf: EgressLeaf };

export const LeasedKeyKindBcs = bcs
  .enum('LeasedKeyKind', { [LEASED_KEY_KINDS[0]]: null, [LEASED_KEY_KINDS[1]]: null })
  .transform<LeasedKeyKind, LeasedKeyKind>({
    input: (kind) => ({ [kind]: true }) as { index: true },
    output: (value) => value.$kind,
  });
export const OutputKindBcs = bcs
  .enum('OutputKind', { [COMPUTATION_OUTPUTS.train]: null, [COMPUTATION_OUTPUTS.stats]: null })
  .transform<OutputKind, OutputKind>({
    input: (kind) => ({ [kind]: true }) as { model: true },
    output: (value) => value.$kind,
  });

/** Variants are appended only: the first byte of a leaf says what it is, so that no entry passes for another. */
const LogLeafEnum = bcs.enum('LogLeaf', {
  release: bcs.struct('ReleaseLeaf', {
    holderSetId: bytes32<HolderSetId>(),
    shareIndex: bcs.u8(),
    jobId: bytes32<JobId>(),
    datasetId: bytes32<DatasetId>(),
    contributionId: bytes32<ContributionId>(),
    grantId: bytes32<GrantId>(),
    purpose: bcs.string(),
    kind: ComputationKindBcs,
    protection: ProtectionKindBcs,
    measurement: bcs.string(),
    runnerSigningKey: byteVector(),
    evidenceDigest: bytes32<Digest>(),
    decision: bcs.string(),
    atMs: u64Number<TimestampMs>(),
  }),
  lease: bcs.struct('LeaseLeaf', {
    holderSetId: bytes32<HolderSetId>(),
    shareIndex: bcs.u8(),
    jobId: bytes32<JobId>(),
    datasetId: bytes32<DatasetId>(),
    keyId: bytes32<Digest>(),
    keyKind: LeasedKeyKindBcs,
    grantSetVersion: bytes32<Digest>(),
    purpose: bcs.string(),
    kind: ComputationKindBcs,
    protection: ProtectionKindBcs,
    measurement: bcs.string(),
    runnerSigningKey: byteVector(),
    evidenceDigest: bytes32<Digest>(),
    decision: bcs.string(),
    leasedUntilMs: u64Number<TimestampMs>(),
    atMs: u64Number<TimestampMs>(),
  }),
  egress: bcs.struct('EgressLeaf', {
    holderSetId: bytes32<HolderSetId>(),
    member: bcs.u8(),
    jobId: bytes32<JobId>(),
    datasetId: bytes32<DatasetId>(),
    outputKind: OutputKindBcs,
    outputDigest: bytes32<Digest>(),
    measurement: bcs.string(),
    runnerSigningKey: byteVector(),
    evidenceDigest: bytes32<Digest>(),
    decision: bcs.string(),
    atMs: u64Number<TimestampMs>(),
  }),
});

/** Every entry of a holder's log is these bytes. */
export const LogLeafBcs = LogLeafEnum.transform<LogLeaf, LogLeaf>({
  input: ({ type, leaf }) => ({ [type]: leaf }) as { release: ReleaseLeaf },
  output: (value) => {
    if (value.release !== undefined) return { type: 'release', leaf: value.release };
    if (value.lease !== undefined) return { type: 'lease', leaf: value.lease };
    return { type: 'egress', leaf: value.egress };
  },
});

/** A log's entry that must be of one type: reading another throws. */
export const ReleaseLeafBcs = LogLeafEnum.transform<ReleaseLeaf, ReleaseLeaf>({
  input: (release) => ({ release }),
  output: (value) => required(value.release),
});
export const LeaseLeafBcs = LogLeafEnum.transform<LeaseLeaf, LeaseLeaf>({
  input: (lease) => ({ lease }),
  output: (value) => required(value.lease),
});
export const EgressLeafBcs = LogLeafEnum.transform<EgressLeaf, EgressLeaf>({
  input: (egress) => ({ egress }),
  output: (value) => required(value.egress),
});

function required<T>(leaf: T | undefined): T {
  if (leaf === undefined) throw new TypeError('an entry of another type');
  return leaf;
}

/** Where the job's id lies in the bytes of any entry: after the variant, the set, and the share's or member's index. */
export const LEAF_JOB_OFFSET = 1 + 32 + 1;
