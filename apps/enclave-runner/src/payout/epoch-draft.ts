import { seal, sign } from '@usufruct/crypto';
import {
  fromBase64,
  refuse,
  type Address,
  type AmountUnits,
  type ContributionId,
  type DaoId,
  type Digest,
  type EpochId,
  type JobId,
} from '@usufruct/kernel';
import { buildEpoch, privateReceiptOf, saltsFrom, type PrivateReceipt, type ReadOpening } from '@usufruct/ledger';
import {
  epochIdOf,
  epochSeedInfo,
  EpochStatementBcs,
  LIMITS,
  TAGS,
  type HolderSetView,
  type JobView,
  type StatementSignature,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { onePerPlace, type LocatedMember } from '../keys/members.js';
import { mapWindow } from '../map-window.js';
import { askToCountersign, type SignedEpoch } from './countersign.js';

const READS_AT_ONCE = 16;

/**
 * An epoch as this process has signed it. It lives in memory only, with its secret seed: the key that signed it ends with
 * the process, too, so that nothing which survives could sign another statement for the same attempt. What outlives it
 * is the seed sealed to holders that were away (late-epochs.ts), which this runner cannot open.
 */
export interface EpochDraft {
  readonly id: EpochId;
  readonly number: bigint;
  readonly attempt: number;
  readonly fromReceipt: bigint;
  readonly chainBefore: Digest;
  readonly digests: readonly Digest[];
  /** EpochStatementBcs. */
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
  /** 32 bytes, secret: the salts of all leaves follow from it. */
  readonly seed: Uint8Array;
  readonly issuedAtMs: number;
}
export interface EpochToDraft {
  readonly daoId: DaoId;
  readonly number: bigint;
  readonly attempt: number;
  readonly fromReceipt: bigint;
  readonly chainBefore: Digest;
  readonly receiptChain: Digest;
  /** In the order of their numbers. */
  readonly openings: readonly ReadOpening[];
  /** What the chain has set aside for them. */
  readonly pooledUnits: AmountUnits;
}

/** Divide, and sign. Refuses `EPOCH_INVALID` when the receipts do not give what the chain has set aside for them. */
export async function draftEpoch(context: RunnerContext, epoch: EpochToDraft): Promise<EpochDraft> {
  const { chain, clock, keys, random } = context;
  const { daoId, number, attempt, fromReceipt, chainBefore, receiptChain, openings } = epoch;
  const receipts = await privateReceipts(context, openings);
  const seed = random(32);
  const built = buildEpoch({ daoId, number, receipts, random: saltsFrom(seed) });
  if (built.totalUnits !== epoch.pooledUnits) throw refuse('EPOCH_INVALID', { check: 'totalUnits' });
  const { chainId, packageId, registryId } = await chain.info();
  const issuedAtMs = clock.nowMs();
  const statement = EpochStatementBcs.serialize({
    chainId,
    packageId,
    registryId,
    daoId,
    number,
    attempt,
    fromReceipt,
    toReceipt: fromReceipt + BigInt(openings.length) - 1n,
    receiptChain,
    totalUnits: built.totalUnits,
    root: built.tree.root,
    leafCount: built.leaves.length,
    settlerPublicKey: keys.signing.publicKey,
    issuedAtMs,
  }).toBytes();
  const { secretKey } = keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.epochStatement, message: statement });
  const digests = openings.map(({ digest }) => digest);
  const id = epochIdOf(statement);
  return { id, number, attempt, fromReceipt, chainBefore, digests, statement, signature, seed, issuedAtMs };
}

async function privateReceipts({ chain }: RunnerContext, openings: readonly ReadOpening[]): Promise<PrivateReceipt[]> {
  const [jobs, owners] = [new Map<JobId, JobView>(), new Map<ContributionId, Address>()];
  const jobIds = [...new Set(openings.map(({ receipt }) => receipt.jobId))];
  const used = [...new Set(openings.flatMap(({ opening }) => opening.uses.map((use) => use.contributionId)))];
  await mapWindow(jobIds, READS_AT_ONCE, async (id) => jobs.set(id, await chain.job(id)));
  await mapWindow(used, READS_AT_ONCE, async (id) => owners.set(id, (await chain.contribution(id)).owner));
  return openings.map((read) => privateReceiptOf(read, jobs.get(read.receipt.jobId)!, owners));
}

/** Old drafts are made anew well before the chain would find their statement stale. */
export const isFresh = ({ issuedAtMs }: EpochDraft, nowMs: number): boolean =>
  nowMs - issuedAtMs < LIMITS.receiptFreshnessMs / 2;

/**
 * Ask these holders to recompute and countersign. Those that do not are left out and logged with their reason; whether
 * enough did is for the caller.
 */
export async function countersignatures(
  { logger }: Pick<RunnerContext, 'logger'>,
  draft: EpochDraft,
  set: HolderSetView,
  members: readonly LocatedMember[],
): Promise<StatementSignature[]> {
  const answers = await Promise.allSettled(members.map((member) => countersignature(draft, set, member)));
  const signed = answers.flatMap((answer, i) => {
    if (answer.status === 'fulfilled') return [answer.value];
    const { holder } = members[i]!;
    const reason: unknown = answer.reason;
    const code = typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : 'INTERNAL';
    logger.warn('epoch.not_countersigned', { epochId: draft.id, holder: holder.name, code });
    return [];
  });
  return onePerPlace(signed);
}

/** Of a draft, what holders are shown. */
export const signedEpochOf = ({ statement, signature, chainBefore, digests }: EpochDraft): SignedEpoch => ({
  statement,
  settlerSignature: signature,
  chainBefore,
  receiptDigests: digests,
});

/** The draft's seed, for one holder alone. */
export const sealSeed = ({ id, seed }: EpochDraft, sealingPublicKey: string): Promise<Uint8Array> =>
  seal({
    recipientPublicKey: fromBase64(sealingPublicKey),
    info: epochSeedInfo(id),
    aad: new Uint8Array(),
    plaintext: seed,
  });

async function countersignature(
  draft: EpochDraft,
  set: HolderSetView,
  { holder, member }: LocatedMember,
): Promise<StatementSignature> {
  const { signingPublicKey: holderKey, sealingPublicKey } = set.members[member]!;
  const sealedSeed = await sealSeed(draft, sealingPublicKey);
  const signature = await askToCountersign(holder, signedEpochOf(draft), { holderKey, sealedSeed });
  // The chain has it already, sent by another process.
  if (signature === null) throw refuse('EPOCH_STATE', { state: 'on chain' });
  return { member, signature };
}
