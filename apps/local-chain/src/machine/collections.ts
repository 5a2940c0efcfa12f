import type {
  Address,
  AmountUnits,
  DaoId,
  Digest,
  EpochId,
  Hex32,
  HolderSetId,
  JobId,
  ProposalId,
  QuestionId,
  RunnerId,
  SignerId,
} from '@usufruct/kernel';
import {
  VOTE_CHOICES,
  zAmount,
  zApplicationView,
  zContributionView,
  zDaoView,
  zDatasetView,
  zEpochView,
  zGrantView,
  zHex32,
  zHolderSetView,
  zJobView,
  zLicenceOfferView,
  zLicenceView,
  zMemberView,
  zProposalView,
  zReceiptPoolView,
  zRunnerView,
  zSignerView,
  zTimestampMs,
  zU64,
} from '@usufruct/protocol';

import { z } from 'zod';

/**
 * Everything that the chain remembers, by collection. The shapes are those of the views, so that a read is the stored
 * text; members are kept apart from their DAO, because there may be many and most transactions need only one.
 */
export const COLLECTIONS = {
  supply: z.object({ mintedUnits: zAmount }),
  balance: z.object({ amountUnits: zAmount }),
  'holder-set': zHolderSetView,
  dao: zDaoView.omit({ members: true }),
  member: zMemberView,
  /** Of a DAO. */
  membership: z.object({ memberCount: z.int(), administrators: z.int(), earnedUnits: zAmount }),
  /** What a member had earned while the DAO had so many proposals, oldest first, the last one being of now. */
  checkpoints: z.array(z.object({ proposals: z.int(), earnedUnits: zAmount })),
  /** Erased when it is decided. */
  application: zApplicationView,
  proposal: zProposalView,
  vote: z.object({ choice: z.enum(VOTE_CHOICES), votes: zU64 }),
  dataset: zDatasetView,
  contribution: zContributionView,
  grant: zGrantView,
  /** What receipts spent of a grant's privacy budget so far. */
  'grant-budget': z.object({ spentMicroEpsilon: zU64 }),
  runner: zRunnerView,
  /** Keys of runners that signed two truths. */
  'withdrawn-runner': z.object({ withdrawnAtMs: zTimestampMs }),
  signer: zSignerView,
  job: zJobView,
  receipt: z.object({ receiptDigest: zHex32<Digest>() }),
  'receipt-pool': zReceiptPoolView,
  /** A receipt pool as it was after a receipt. */
  'pool-mark': z.object({ receiptChain: zHex32<Digest>(), pooledUnits: zAmount, settledAtMs: zTimestampMs }),
  epoch: zEpochView,
  /** What an epoch keeps of the rules under which it was proposed, beside what its view says. */
  'epoch-rules': z.object({ holderSetId: zHex32<HolderSetId>(), verifierThreshold: z.int(), challengeMs: z.int() }),
  /** When the challenge window of a DAO's last epoch ends; 0 once that was rejected. */
  'epoch-window': z.object({ endsAtMs: zTimestampMs }),
  /** The last attempt that was proposed for an epoch's number, rejected or not. */
  'epoch-attempt': z.object({ attempt: z.int() }),
  /** A leaf that was paid. */
  claim: z.object({ account: zHex32<Address>(), amountUnits: zAmount }),
  'licence-offer': zLicenceOfferView,
  licence: zLicenceView,
  'tree-head': z.object({ treeSize: z.int(), rootHash: zHex32<Digest>() }),
} as const;

export type Collection = keyof typeof COLLECTIONS;
export type RecordOf<C extends Collection> = z.output<(typeof COLLECTIONS)[C]>;
export type DaoRecord = RecordOf<'dao'>;

/** Keys: an id, or two joined by a slash. `SUPPLY` is the only key of its collection. */
export const SUPPLY = 'supply';
export const memberKey = (daoId: DaoId, address: Address): string => `${daoId}/${address}`;
export const applicationKey = memberKey;
export const voteKey = (proposalId: ProposalId, voter: Address): string => `${proposalId}/${voter}`;
export const runnerKey = (daoId: DaoId, runnerId: RunnerId): string => `${daoId}/${runnerId}`;
export const signerKey = (daoId: DaoId, signerId: SignerId): string => `${daoId}/${signerId}`;
export const poolMarkKey = (daoId: DaoId, receipt: bigint): string => `${daoId}/${receipt}`;
export const epochAttemptKey = (daoId: DaoId, epoch: bigint): string => `${daoId}/${epoch}`;
export const claimKey = (epochId: EpochId, index: number): string => `${epochId}/${index}`;
export const receiptKey = (jobId: JobId, questionId: QuestionId): string => `${jobId}/${questionId}`;
/** By the member's signing key (base64), so that a log goes on whatever place its holder has in the set. */
export const treeHeadKey = (holderSetId: HolderSetId, signingPublicKey: string): string =>
  `${holderSetId}/${signingPublicKey}`;

/** What the state machine may see of the state: one record at a time. */
export interface StateReader {
  read<C extends Collection>(collection: C, key: string): RecordOf<C> | undefined;
}

/** A record that a transaction wrote or erased. */
export interface Change {
  readonly collection: Collection;
  readonly key: string;
  /** Set when the record is new and is listed under a parent, in order of creation. */
  readonly parent: Hex32 | null;
  /** Null when it was erased. */
  readonly value: RecordOf<Collection> | null;
}

/**
 * The state as one transaction sees it: what was there, and what it has written so far. Nothing reaches the store
 * until the whole transaction has succeeded.
 */
export class Draft implements StateReader {
  readonly #written = new Map<string, Change>();

  constructor(readonly base: StateReader) {}

  read<C extends Collection>(collection: C, key: string): RecordOf<C> | undefined {
    const written = this.#written.get(`${collection}:${key}`);
    if (written === undefined) return this.base.read(collection, key);
    return written.value === null ? undefined : (written.value as RecordOf<C>);
  }

  /** `parent` lists a new record; an update keeps the place that the record has. */
  write<C extends Collection>(collection: C, key: string, value: RecordOf<C>, parent: Hex32 | null = null): void {
    const place = parent ?? this.#written.get(`${collection}:${key}`)?.parent ?? null;
    this.#written.set(`${collection}:${key}`, { collection, key, parent: place, value });
  }

  erase(collection: Collection, key: string): void {
    this.#written.set(`${collection}:${key}`, { collection, key, parent: null, value: null });
  }

  changes(): Change[] {
    return [...this.#written.values()];
  }

  balanceOf(account: Address): AmountUnits {
    return this.read('balance', account)?.amountUnits ?? (0n as AmountUnits);
  }
}
