import type { DatabaseSync } from 'node:sqlite';
import type { AppraisalDesk } from '@usufruct/attestation';
import type { Chain } from '@usufruct/chain';
import { refuse, toBase64, type Clock, type HolderSetId, type Logger, type RandomSource } from '@usufruct/kernel';
import { LIMITS, type ChainInfo, type HolderSetView } from '@usufruct/protocol';
import { ErasureStore } from './erasure/erasure-store.js';
import { Scrubber } from './erasure/scrubber.js';
import { BackupsMade } from './backup/backups-made.js';
import type { HolderKeys } from './identity.js';
import type { Keyring } from './keyring/keyring.js';
import { requireKeysOf, RotationClock } from './keyring/rotate-storage.js';
import { EgressStore } from './lease/egress-store.js';
import { GivenForJobs } from './lease/given-for-jobs.js';
import { GrantsSeen } from './lease/grants-seen.js';
import { LeasedKeyStore } from './lease/leased-key-store.js';
import { CaughtUp } from './log/caught-up.js';
import { LastLooks } from './last-look.js';
import { ReleaseLog, type Membership } from './log/release-log.js';
import { OneAtATime } from './one-at-a-time.js';
import { CountersignedEpochs } from './payout/countersigned-epochs.js';
import { Equivocations } from './payout/equivocations.js';
import { OpeningStore } from './payout/opening-store.js';
import { RateLimiter } from './rate-limit.js';
import { CertificateStore } from './rotation/certificate-store.js';
import { DealingSeeds } from './rotation/dealing-seeds.js';
import { MadePolynomials } from './rotation/made-polynomials.js';
import { SetVersionsStore } from './rotation/set-versions-store.js';
import { SubShareStore } from './rotation/sub-share-store.js';
import { Subkeys, type SealingTerms } from './sealing/subkeys.js';
import { Anomalies } from './store/anomalies.js';
import { AtRest } from './store/at-rest.js';
import { ChallengeStore } from './store/challenges.js';
import { ReleaseRequests } from './store/release-requests.js';
import { ShareStore } from './store/shares.js';
import { WithdrawnRunners } from './withdrawn-runners.js';

/** Requests a minute of one runner's key, for one dataset and for one DAO; each may ask for a whole dataset. */
const RELEASES_PER_MINUTE = { runner: 120, dataset: 600, dao: 1_200 } as const;
/** Shares a minute: twenty times the largest dataset for a runner, a hundred times for all runners of a DAO. */
const SHARES_PER_MINUTE = { runner: 20 * LIMITS.contributionsPerDataset, dao: 100 * LIMITS.contributionsPerDataset };
/** Openings that one runner key signed, lists of openings and statements that one asks for, a minute. */
const PAYOUT_REQUESTS_PER_MINUTE = 1_200;
/** Lists of payouts that one account asks for a minute. */
const PAYOUT_QUERIES_PER_MINUTE = 30;
/** Requests to destroy the shares of one contribution a minute. */
const ERASURES_PER_MINUTE = 30;
/** Trees of leaves that are built a minute for all accounts: a large one is seconds of this process's one thread. */
const TREES_PER_MINUTE = 120;

const STORAGE_KEY_MAX_AGE_MS = 7 * 86_400_000;

export interface HolderParts {
  readonly keys: HolderKeys;
  /** The keys that do not follow from the secret: they rotate, and old ones are destroyed. */
  readonly keyring: Keyring;
  /** How long a generation of the storage key is current; seven days unless given. */
  readonly storageKeyMaxAgeMs?: number;
  readonly chain: Chain;
  readonly database: DatabaseSync;
  /** The verifier: judges evidence as this holder was configured. */
  readonly desk: AppraisalDesk;
  readonly standIns: readonly string[];
  /** Of the keys that shares are sealed to; the usual ones unless given. */
  readonly sealingTerms?: SealingTerms;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
}

export interface ReleaseLimits {
  readonly perRunner: RateLimiter;
  readonly perDataset: RateLimiter;
  readonly perDao: RateLimiter;
  readonly sharesPerRunner: RateLimiter;
  readonly sharesPerDao: RateLimiter;
}

/** One share, one decision, one log: what every request of this process works with. */
export interface Holder extends HolderParts {
  /** What is written down is encrypted with it. */
  readonly atRest: AtRest;
  readonly rotations: RotationClock;
  readonly backups: BackupsMade;
  readonly shares: ShareStore;
  /** What re-sharing needs on its way. */
  readonly subShares: SubShareStore;
  readonly dealingSeeds: DealingSeeds;
  readonly madePolynomials: MadePolynomials;
  readonly setVersions: SetVersionsStore;
  readonly certificates: CertificateStore;
  readonly challenges: ChallengeStore;
  readonly log: ReleaseLog;
  /** Whether the log is the one that this holder has put on the chain. */
  readonly caughtUp: CaughtUp;
  /** For decisions that must not miss what ends while they are made. */
  readonly lastLooks: LastLooks;
  readonly withdrawnRunners: WithdrawnRunners;
  readonly openings: OpeningStore;
  readonly epochs: CountersignedEpochs;
  readonly equivocations: Equivocations;
  readonly erasures: ErasureStore;
  readonly erasing: OneAtATime;
  readonly scrubber: Scrubber;
  readonly erasuresPerContribution: RateLimiter;
  /** Keys of indexes and checkpoints, and what left jobs. */
  readonly leasedKeys: LeasedKeyStore;
  readonly grantsSeen: GrantsSeen;
  readonly givenForJobs: GivenForJobs;
  readonly egress: EgressStore;
  readonly letOut: OneAtATime;
  readonly depositing: OneAtATime;
  /** What shares are sealed to. */
  readonly subkeys: Subkeys;
  readonly anomalies: Anomalies;
  readonly requests: ReleaseRequests;
  readonly releaseLimits: ReleaseLimits;
  readonly payoutRequestsPerRunner: RateLimiter;
  readonly payoutQueriesPerAccount: RateLimiter;
}

export function makeHolder(parts: HolderParts): Holder {
  const { database, clock, random, keys } = parts;
  requireKeysOf(database, parts.keyring);
  const atRest = new AtRest(parts.keyring.storage, random);
  const scrubber = new Scrubber(database);
  const log: ReleaseLog = new ReleaseLog(database, keys.signing, clock, () => caughtUp.require());
  const lastLooks = new LastLooks(clock);
  const withdrawnRunners = new WithdrawnRunners();
  const caughtUp = new CaughtUp({
    chain: parts.chain,
    operator: keys.operator.address,
    tree: log,
    logger: parts.logger,
    onEvent: (event) => {
      lastLooks.note(event);
      withdrawnRunners.note(event);
    },
  });
  return {
    ...parts,
    atRest,
    backups: new BackupsMade(database),
    rotations: new RotationClock(database, { maxAgeMs: parts.storageKeyMaxAgeMs ?? STORAGE_KEY_MAX_AGE_MS }),
    shares: new ShareStore(database, atRest),
    subShares: new SubShareStore(database, atRest),
    madePolynomials: new MadePolynomials(),
    setVersions: new SetVersionsStore(database),
    certificates: new CertificateStore(database),
    dealingSeeds: new DealingSeeds(database, atRest, random),
    challenges: new ChallengeStore(database, clock, random),
    log,
    caughtUp,
    lastLooks,
    withdrawnRunners,
    openings: new OpeningStore(database, atRest),
    epochs: new CountersignedEpochs({
      database,
      atRest,
      indexKey: keys.index,
      builds: new RateLimiter(TREES_PER_MINUTE, clock),
    }),
    equivocations: new Equivocations(database),
    erasures: new ErasureStore(database, scrubber),
    erasing: new OneAtATime(),
    scrubber,
    erasuresPerContribution: new RateLimiter(ERASURES_PER_MINUTE, clock),
    leasedKeys: new LeasedKeyStore(database, atRest, scrubber),
    grantsSeen: new GrantsSeen(database),
    givenForJobs: new GivenForJobs(database),
    egress: new EgressStore(database),
    letOut: new OneAtATime(),
    depositing: new OneAtATime(),
    subkeys: new Subkeys(parts.keyring.sealing, clock, parts.sealingTerms),
    anomalies: new Anomalies(database),
    requests: new ReleaseRequests(database),
    releaseLimits: {
      perRunner: new RateLimiter(RELEASES_PER_MINUTE.runner, clock),
      perDataset: new RateLimiter(RELEASES_PER_MINUTE.dataset, clock),
      perDao: new RateLimiter(RELEASES_PER_MINUTE.dao, clock),
      sharesPerRunner: new RateLimiter(SHARES_PER_MINUTE.runner, clock),
      sharesPerDao: new RateLimiter(SHARES_PER_MINUTE.dao, clock),
    },
    payoutRequestsPerRunner: new RateLimiter(PAYOUT_REQUESTS_PER_MINUTE, clock),
    payoutQueriesPerAccount: new RateLimiter(PAYOUT_QUERIES_PER_MINUTE, clock),
  };
}

export interface Seat extends Membership {
  readonly set: HolderSetView;
  readonly info: ChainInfo;
}

/**
 * This holder's place in a set, by its signing key, from its own view of the chain. Refuses `FORBIDDEN` outside it,
 * `TOMBSTONED` once its key was retired.
 */
export async function seatIn({ chain, keys, log }: Holder, holderSetId: HolderSetId): Promise<Seat> {
  const [set, info] = await Promise.all([chain.holderSet(holderSetId), chain.info()]);
  const ownKey = toBase64(keys.signing.publicKey);
  const member = set.members.findIndex((candidate) => candidate.signingPublicKey === ownKey);
  if (member < 0) throw refuse('FORBIDDEN', { holderSetId, reason: 'this holder is not a member of the set' });
  if (set.tombstonedKeys.includes(ownKey)) throw refuse('TOMBSTONED', { holderSetId, member: String(member) });
  const seat = { holderSetId, member, set, info };
  log.remember(seat);
  return seat;
}
