import {
  toUsufructError,
  refuse,
  type UsufructError,
  type ContributionId,
  type Digest,
  type ErrorCode,
} from '@usufruct/kernel';
import type { ContributionView, DaoView, HolderSetView, JobView, Manifest } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { releaseByMode } from '../../keys/by-mode.js';
import type { ReleasedKeys } from '../../keys/key-port.js';
import { mapWindow } from '../../map-window.js';
import { fetchManifest } from '../provision/manifest.js';
import { openContribution } from '../provision/open-contribution.js';
import { Corpus, type CorpusDocument } from '../rag/index.js';
import { allowedContributions } from './consent.js';

const MANIFESTS_AT_ONCE = 8;
/** Documents are decrypted and parsed in memory, so few at once. */
const DOCUMENTS_AT_ONCE = 2;
/** Text of one session, in UTF-16 units: what the index of it takes fits into the memory of a small machine. */
const SESSION_TEXT_CHARS = 128 * 1024 ** 2;

export interface LeftOut {
  readonly contributionId: ContributionId;
  readonly code: ErrorCode;
}
export interface Provisioned {
  readonly corpus: Corpus;
  readonly leftOut: readonly LeftOut[];
  /** Of the bundle for which the holders released their shares; `NO_EVIDENCE` where none did. */
  readonly evidenceDigest: Digest;
}

/**
 * From a funded job to an index in memory: manifests, one release of their keys, decryption, parsing. A
 * contribution that may not be used or cannot be opened is left out with its reason and stops nothing.
 *
 * Refuses `NO_USABLE_DATA` when nobody allows this use, and the reason itself when it is the same for everything that
 * was allowed (for example `SHARES_INSUFFICIENT` while holders are away).
 */
export async function provision(
  context: RunnerContext,
  job: JobView,
  dao: DaoView,
  onKeys: () => void,
): Promise<Provisioned> {
  const { chain, clock } = context;
  const [dataset, contributions] = await Promise.all([
    chain.dataset(job.datasetId),
    chain.contributionsOf(job.datasetId),
  ]);
  const on = { job, dao, dataset };
  const { grants, refused } = await allowedContributions(context, on, contributions, clock.nowMs());
  const leftOut = new LeftOutList(refused);
  const allowed = contributions.filter(({ id }) => grants.has(id));
  if (allowed.length === 0) throw refuse('NO_USABLE_DATA', { datasetId: job.datasetId });
  const manifests = await readManifests(context, allowed, leftOut);
  const wanted = manifests.map((manifest) => ({ manifest, grantId: grants.get(manifest.contributionId)! }));
  const released = await releaseByMode(context, { job, dao, wanted });
  onKeys();
  const documents = await openAll(context, manifests, released, leftOut);
  if (documents.length === 0) throw nothingOpened(allowed, leftOut);
  return { corpus: new Corpus(documents), leftOut: leftOut.entries(), evidenceDigest: released.evidenceDigest };
}

class LeftOutList {
  readonly #codes: Map<ContributionId, ErrorCode>;
  constructor(refused: ReadonlyMap<ContributionId, ErrorCode>) {
    this.#codes = new Map(refused);
  }
  add(contributionId: ContributionId, code: ErrorCode): void {
    this.#codes.set(contributionId, code);
  }
  codeOf(contributionId: ContributionId): ErrorCode | undefined {
    return this.#codes.get(contributionId);
  }
  entries(): LeftOut[] {
    return [...this.#codes].map(([contributionId, code]) => ({ contributionId, code }));
  }
}

async function readManifests(
  context: RunnerContext,
  contributions: readonly ContributionView[],
  leftOut: LeftOutList,
): Promise<Manifest[]> {
  const { chainId } = await context.chain.info();
  const sets = new Map<string, Promise<HolderSetView>>();
  const setOf = (id: ContributionView['holderSetId']): Promise<HolderSetView> => {
    const known = sets.get(id) ?? context.chain.holderSet(id);
    sets.set(id, known);
    return known;
  };
  const manifests = await mapWindow(contributions, MANIFESTS_AT_ONCE, async (contribution) => {
    const set = await setOf(contribution.holderSetId);
    return orLeftOut(leftOut, contribution.id, () => fetchManifest(context.blobs, contribution, set, chainId));
  });
  return manifests.filter((manifest) => manifest !== null);
}

async function openAll(
  context: RunnerContext,
  manifests: readonly Manifest[],
  released: ReleasedKeys,
  leftOut: LeftOutList,
): Promise<CorpusDocument[]> {
  let chars = 0;
  // Near duplicates are sought within a session, by a hash that no contributor can know.
  const sketchKey = context.random(8);
  const documents = await mapWindow(manifests, DOCUMENTS_AT_ONCE, (manifest) =>
    orLeftOut(leftOut, manifest.contributionId, async () => {
      const sessionKey = released.sessionKeyOf(manifest);
      try {
        const opened = await openContribution(context.blobs, manifest, sessionKey, sketchKey);
        const own = opened.document.indexedChars;
        // What is left out takes no room: one large document does not push out the small ones after it.
        if (chars + own > SESSION_TEXT_CHARS) throw refuse('FILE_TOO_LARGE', { limit: 'text of one session' });
        chars += own;
        return opened;
      } finally {
        sessionKey.fill(0);
      }
    }),
  );
  return documents.filter((document) => document !== null);
}

async function orLeftOut<T>(leftOut: LeftOutList, id: ContributionId, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    leftOut.add(id, toUsufructError(error).code);
    return null;
  }
}

function nothingOpened(allowed: readonly ContributionView[], leftOut: LeftOutList): UsufructError {
  const codes = new Set(allowed.map(({ id }) => leftOut.codeOf(id)));
  const [only] = codes;
  return refuse(codes.size === 1 && only !== undefined ? only : 'NO_USABLE_DATA', { allowed: String(allowed.length) });
}
