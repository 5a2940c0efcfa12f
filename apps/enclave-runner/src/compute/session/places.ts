import type { ContributionId } from '@usufruct/kernel';
import type { ContributionView } from '@usufruct/protocol';
import type { CorpusDocument } from '../rag/index.js';
import { Admission } from './admission.js';
import { sizeOf } from './document-size.js';
import type { Share } from './room.js';

/** The documents that have a place in a session that is being opened. What has none takes no room. */
export class Places {
  readonly #admission: Admission<ContributionId>;
  readonly #owners: ReadonlyMap<ContributionId, string>;
  readonly #documents = new Map<ContributionId, CorpusDocument>();
  readonly #left = new Set<ContributionId>();
  readonly #share: Share;

  constructor(contributions: readonly Pick<ContributionView, 'id' | 'owner'>[], share: Share) {
    this.#owners = new Map(contributions.map(({ id, owner }) => [id, owner]));
    this.#share = share;
    this.#admission = new Admission(share.mostBytes);
  }

  /** Refuses `RUNNER_UNAVAILABLE` where all sessions together would take more than the runner has. */
  add(document: CorpusDocument): void {
    const { contributionId } = document;
    const owner = this.#owners.get(contributionId) ?? contributionId;
    this.#documents.set(contributionId, document);
    for (const gone of this.#admission.add(owner, contributionId, sizeOf(document.document))) {
      this.#documents.delete(gone);
      this.#left.add(gone);
    }
    this.#share.set(this.#admission.bytes);
  }

  get documents(): CorpusDocument[] {
    return [...this.#documents.values()];
  }

  /** Those that had to leave, or were never in. */
  get withoutPlace(): ReadonlySet<ContributionId> {
    return this.#left;
  }
}
