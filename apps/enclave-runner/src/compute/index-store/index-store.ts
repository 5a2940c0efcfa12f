import type { GrantSet } from '@usufruct/consent';
import { digestOf } from '@usufruct/crypto';
import {
  lengthPrefixed,
  refuse,
  toUsufructError,
  utf8,
  type ContributionId,
  type DatasetId,
  type Digest,
  type ErrorCode,
  type Hex32,
  type TimestampMs,
} from '@usufruct/kernel';
import type { ContributionView, DaoView, JobView } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { leaseKey, makeLeasedKey, type LeasedAgain } from '../../keys/leased-key.js';
import { indexHeader, openIndex, sealIndex, type IndexContents } from './index-file.js';
import { segmentName, Segments } from './segments.js';
import { splitFile, type SplitFile } from './sealed-file.js';
import { systemCode, type StoredFiles } from './stored-files.js';

/** A session that could last no longer is not worth what making and leasing a key costs the holders. */
const LEAST_LEASE_MS = 60_000;
/**
 * What the holders say of a key that nobody will ever have again; its file is so many useless bytes. `NOT_FOUND` is not
 * among them: a holder whose node lags says it of the job.
 */
const KEY_IS_LOST: readonly ErrorCode[] = [
  'KEY_SUPERSEDED',
  'INVALID_ARGUMENT',
  'KEY_COMMITMENT_MISMATCH',
  'DATASET_MISMATCH',
];

/** For which job, and the grants that its runner sees in force. */
export interface IndexWork {
  readonly job: JobView;
  readonly dao: DaoView;
  readonly grants: GrantSet;
}

export interface OpenedIndex {
  readonly contents: IndexContents;
  /** Of the bundle that was shown for its key. */
  readonly evidenceDigest: Digest;
  /** Until when the holders gave the key: what it opened is forgotten then. */
  readonly endsAtMs: TimestampMs;
}

export interface ErasedFiles {
  readonly storedIndexes: number;
  readonly hadStoredDocument: boolean;
}

/**
 * Indexes on the runner's disk, one for each set of grants of a dataset, each under a key that the key holders give out
 * only while exactly these grants are in force (keys/leased-key.ts). So it is they, with their own view of the chain,
 * who refuse an index from before a revocation, whatever the host puts back onto the disk and whatever chain this
 * runner is shown.
 *
 * A cache: that a file cannot be written, read or opened fails no session. It is said in the log, and the index is made
 * from the contributions.
 */
export class IndexStore {
  readonly #keeping = new Map<string, Promise<boolean>>();
  /** Retired for good: whoever was about to write them when they were deleted does not bring them back. */
  readonly #erased = new Set<ContributionId>();

  constructor(readonly files: StoredFiles) {}

  has(work: Pick<IndexWork, 'job' | 'grants'>): boolean {
    return this.#nameFor(work) !== undefined;
  }

  /** Lease the key of the index for these grants and open it; null where there is none, or it cannot be had. */
  async open(context: RunnerContext, work: IndexWork): Promise<OpenedIndex | null> {
    const name = this.#nameFor(work);
    if (name === undefined || !isWorthIt(work.grants, context.clock.nowMs())) return null;
    try {
      const file = await this.#read(name);
      const header = file === null ? null : indexHeader(file, await context.device.measurement());
      const isFor = header?.key.datasetId === work.job.datasetId && header.key.grantSetVersion === work.grants.version;
      if (file === null || header === null || !isFor) {
        throw refuse('ENVELOPE_MALFORMED', { reason: 'of other code, of another set of grants, or no index' });
      }
      const leased = await leaseKey(context, work, header.statement);
      return await openLeased(context, work, file, leased);
    } catch (error) {
      await this.#passOver(context, name, error);
      return null;
    }
  }

  /**
   * Keep an index for the grants that it rests on, under a new key that the holders took their shares of before a byte
   * is written. Whether it is there now; never rejects. With `replace`, also where there is one for these grants.
   *
   * What is in it must be derived from nothing but what these grants allow. Where the grants are others by then, the
   * holders refuse the key.
   */
  keep(context: RunnerContext, work: IndexWork, contents: IndexContents, replace = false): Promise<boolean> {
    const name = nameOf(work);
    const before = this.#keeping.get(name) ?? Promise.resolve(false);
    const kept = before.then(() => this.#keep(context, work, contents, replace));
    this.#keeping.set(name, kept);
    return kept.finally(() => this.#keeping.get(name) === kept && this.#keeping.delete(name));
  }

  /** When nothing is being kept any more. */
  async idle(): Promise<void> {
    while (this.#keeping.size > 0) await Promise.all(this.#keeping.values());
  }

  segmentsOf(context: RunnerContext, { id }: Pick<DaoView, 'id'>): Segments {
    return new Segments(context, this.files, id, (contributionId) => this.#erased.has(contributionId));
  }

  /** What was retired while nobody told this runner; its key is not to be had any more. Never rejects. */
  async forgetRetired(contributions: readonly ContributionView[]): Promise<void> {
    const retired = contributions.filter(({ tombstonedAtMs }) => tombstonedAtMs !== null);
    for (const { id } of retired) this.#erased.add(id);
    await this.files.remove(retired.map(({ id }) => segmentName(id))).catch(() => undefined);
  }

  /**
   * Delete every index of the dataset, since any of them may have the contribution in it, and what was kept of the
   * document itself. Throws what the file system does. Open sessions make another index without it.
   */
  async erase({ id, datasetId }: Pick<ContributionView, 'id' | 'datasetId'>): Promise<ErasedFiles> {
    this.#erased.add(id);
    await this.idle();
    const segments = await this.files.remove([segmentName(id)]);
    const indexes = await this.files.remove(this.files.names().filter((name) => isOfDataset(name, datasetId)));
    return { storedIndexes: indexes, hadStoredDocument: segments > 0 };
  }

  async #keep(context: RunnerContext, work: IndexWork, contents: IndexContents, replace: boolean): Promise<boolean> {
    if (!replace && this.has(work)) return true;
    const { job, grants } = work;
    const fields = { jobId: job.id, documents: contents.documents.length };
    if (!isWorthIt(grants, context.clock.nowMs())) return false;
    try {
      requireOnly(
        contents.documents.map(({ contributionId }) => contributionId),
        grants,
      );
      const { statement, lease } = await makeLeasedKey(context, work);
      try {
        const measurement = await context.device.measurement();
        const secret = lease.keyAt(context.clock.nowMs());
        if (contents.documents.some(({ contributionId }) => this.#erased.has(contributionId))) {
          throw refuse('KEY_SUPERSEDED', { reason: 'it has in it what was erased meanwhile' });
        }
        await this.files.write(nameOf(work), sealIndex(contents, { statement, measurement, secret }, context.random));
      } finally {
        lease.drop();
      }
      await this.#removeOlder(work);
      context.logger.info('index.kept', { ...fields, bytes: this.files.sizeOf(nameOf(work)) });
      return true;
    } catch (error) {
      context.logger.warn('index.not_kept', { ...fields, reason: reasonOf(error) });
      return false;
    }
  }

  /** Of the same use for other grants: nobody gives out their keys again. */
  async #removeOlder(work: IndexWork): Promise<void> {
    const [own, use] = [nameOf(work), useOf(work)];
    await this.files.remove(this.files.names().filter((name) => name !== own && name.startsWith(use)));
  }

  #nameFor({ job, grants }: Pick<IndexWork, 'job' | 'grants'>): string | undefined {
    const end = versionEnd(grants);
    // Also one that was made at another price, where the same grants count.
    return this.files.names().find((name) => isOfDataset(name, job.datasetId) && name.endsWith(end));
  }

  async #read(name: string): Promise<SplitFile | null> {
    const bytes = await this.files.read(name);
    return bytes === null ? null : splitFile(bytes);
  }

  async #passOver({ logger }: RunnerContext, name: string, error: unknown): Promise<void> {
    const { code } = toUsufructError(error);
    logger.warn('index.not_opened', { name, reason: reasonOf(error) });
    // What the holders said of something else or could not say now, and what ails the disk, is no word about the file.
    const isBroken = code.startsWith('ENVELOPE_') || (code === 'INTERNAL' && systemCode(error) === null);
    const isUseless = KEY_IS_LOST.includes(code) || isBroken;
    if (isUseless) await this.files.remove([name]).catch(() => undefined);
  }
}

async function openLeased(
  { clock }: RunnerContext,
  { grants }: IndexWork,
  file: SplitFile,
  { lease, evidenceDigest }: LeasedAgain,
): Promise<OpenedIndex> {
  try {
    const contents = await openIndex(file, lease.keyAt(clock.nowMs()));
    requireOnly(
      contents.documents.map(({ contributionId }) => contributionId),
      grants,
    );
    return { contents, evidenceDigest, endsAtMs: lease.endsAtMs };
  } finally {
    lease.drop();
  }
}

/** Two words for one thing must agree: the key is for these grants, and so must be what it encrypts. */
function requireOnly(contributionIds: readonly ContributionId[], { usable }: GrantSet): void {
  const allowed = new Set(usable);
  const isOnly = contributionIds.every((id) => allowed.has(id));
  if (!isOnly) throw refuse('KEY_SUPERSEDED', { reason: 'it has in it what these grants do not allow' });
}

const isWorthIt = ({ changesAtMs }: GrantSet, nowMs: number): boolean =>
  changesAtMs !== null && changesAtMs - nowMs >= LEAST_LEASE_MS;

/** A code of the catalogue, or what the system says of a disk (`ENOSPC`). */
const reasonOf = (error: unknown): string => systemCode(error) ?? toUsufructError(error).code;

const digits = (id: Hex32): string => id.slice(2);
const isOfDataset = (name: string, datasetId: DatasetId): boolean =>
  name.startsWith(`${digits(datasetId)}-`) && name.endsWith('.index');
const versionEnd = ({ version }: GrantSet): string => `-${digits(version)}.index`;
const useOf = ({ job }: Pick<IndexWork, 'job'>): string => {
  const { datasetId, purpose, kind, protection, pricePerQuestionUnits } = job;
  const use = digestOf(lengthPrefixed(...[purpose, kind, protection, String(pricePerQuestionUnits)].map(utf8)));
  return `${digits(datasetId)}-${digits(use).slice(0, 16)}-`;
};
const nameOf = (work: IndexWork): string => `${useOf(work).slice(0, -1)}${versionEnd(work.grants)}`;
