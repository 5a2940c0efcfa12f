import {
  endorsementsOfItem,
  judgeEndorsement,
  nameOfItem,
  type EndorsementBytes,
  type EndorsementItem,
  type EndorsementNeed,
  type RootSet,
} from '@usufruct/attestation';
import type { Clock, Logger } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import { EndorsementFolder, olderThan, type HeldItem } from './folder/endorsement-folder.js';
import { highestOf, isOlder } from './folder/index-file.js';
import { ask, freshForMs, type VendorAnswer } from './http.js';
import { rootAlone } from './issuers.js';
import { obtainNeeds, type ObtainedItem } from './obtain.js';
import type { EndorsementSource, FoundEndorsements, MissingEndorsement } from './source.js';
import { statusOf, type EndorsementStatus } from './status.js';
import { isFresh, outOfDate, unusableNow } from './validity.js';
import { servedBy } from './vendors/index.js';
import type { Served } from './vendors/served.js';
import { endorsementUrls, type EndorsementUrls } from './vendors/urls.js';

export interface EndorsementCacheOptions {
  /** Made if it is not there. Several processes may share one. */
  readonly folder: string;
  readonly roots: RootSet;
  readonly clock: Clock;
  /** Mirrors in place of the vendors' own addresses. */
  readonly urls?: Partial<EndorsementUrls>;
  readonly fetch?: typeof globalThis.fetch;
  /** Of one request. */
  readonly timeoutMs?: number;
  readonly log?: Logger;
}

/** What came of asking for one item. */
export interface FetchOutcome {
  readonly name: string;
  /** `kept`: the vendor gave nothing usable, but what was held before is still within its signed validity. */
  readonly outcome: 'fetched' | 'unchanged' | 'fresh' | 'kept' | 'failed';
  readonly reason: string;
}

const TIMEOUT_MS = 10_000;
/** After a failure the vendor is left alone for so long. */
const RETRY_AFTER_MS = 60_000;

interface Answered {
  readonly answer: VendorAnswer;
  readonly origin: string;
  readonly etag: string | undefined;
  /** How long it is fresh where the answer does not say. */
  readonly silentMs: number | undefined;
}

interface Obtained {
  readonly held: HeldItem | null;
  readonly outcome: FetchOutcome['outcome'];
  readonly reason: string;
}

/**
 * Endorsements from the vendors, kept in memory and in a folder.
 *
 * What is fresh is used as it is; what is not is asked for again, with its ETag; and where the vendor gives nothing
 * usable, what is held is used as long as its signed validity lasts, and no longer. Nothing is kept that does not parse,
 * does not verify up to a pinned root, is not for what was asked, is out of date, or is older than what was held before.
 */
export class EndorsementCache implements EndorsementSource {
  private readonly folder: EndorsementFolder;
  private readonly urls: EndorsementUrls;
  private readonly memory = new Map<string, HeldItem>();
  private readonly underWay = new Map<string, Promise<Obtained>>();
  private readonly failures = new Map<string, { readonly untilMs: number; readonly reason: string }>();

  /** Refuses `INVALID_ARGUMENT` for an address that is none. */
  constructor(private readonly options: EndorsementCacheOptions) {
    this.folder = new EndorsementFolder(options.folder, options.roots);
    this.urls = endorsementUrls(options.urls);
  }

  async endorsementsFor(bundle: EvidenceBundle): Promise<FoundEndorsements> {
    return combine(await obtainNeeds(bundle, this.options.roots, (need) => this.get(need)));
  }

  /** Have these at hand; with `again`, ask the vendors even where what is held is fresh. */
  async fetch(items: readonly EndorsementItem[], { again = false } = {}): Promise<readonly FetchOutcome[]> {
    const obtained = items.map(async (item) => ({ ...(await this.get({ item, issuers: null }, again)), item }));
    return (await Promise.all(obtained)).map(outcomeOf);
  }

  /** The same for everything that this evidence needs. */
  async fetchFor(bundle: EvidenceBundle, { again = false } = {}): Promise<readonly FetchOutcome[]> {
    return (await obtainNeeds(bundle, this.options.roots, (need) => this.get(need, again))).map(outcomeOf);
  }

  /** The same for everything that the folder has a file of. */
  async refresh(): Promise<readonly FetchOutcome[]> {
    return this.fetch(await this.folder.items(), { again: true });
  }

  /** What is in the folder, and what it is worth now. Asks nobody. */
  status(): Promise<readonly EndorsementStatus[]> {
    return statusOf(this.folder, this.options.clock.nowMs());
  }

  /** Each item is obtained once at a time, however many ask for it. */
  private get(need: EndorsementNeed, again = false): Promise<Obtained> {
    const name = nameOfItem(need.item);
    const known = this.memory.get(name);
    if (known !== undefined && !again && this.isFresh(known)) {
      return Promise.resolve({ held: known, outcome: 'fresh', reason: '' });
    }
    const key = `${name} ${again}`;
    const running = this.underWay.get(key);
    if (running !== undefined) return running;
    const started = this.obtain(need, again).finally(() => this.underWay.delete(key));
    this.underWay.set(key, started);
    return started;
  }

  private isFresh(held: HeldItem): boolean {
    return isFresh(held, this.options.clock.nowMs());
  }

  private async obtain(need: EndorsementNeed, again: boolean): Promise<Obtained> {
    const { item } = need;
    const name = nameOfItem(item);
    const onDisk = await this.folder.read(item);
    const kept = onDisk === null || 'flaw' in onDisk ? null : onDisk;
    if (onDisk !== null && 'flaw' in onDisk)
      this.options.log?.warn('endorsement_unusable', { name, reason: onDisk.flaw });
    if (kept !== null && !again && this.isFresh(kept))
      return this.remember({ held: kept, outcome: 'fresh', reason: '' });
    const failure = this.failures.get(name);
    const isLeftAlone = failure !== undefined && !again && this.options.clock.nowMs() < failure.untilMs;
    const fetched: Obtained | { readonly failure: string } = isLeftAlone
      ? { failure: failure.reason }
      : await this.fetchOne(need, kept);
    if (!('failure' in fetched)) {
      this.failures.delete(name);
      return this.remember(fetched);
    }
    if (!isLeftAlone) this.noteFailure(name, fetched.failure);
    return this.instead(kept ?? this.memory.get(name) ?? null, fetched.failure);
  }

  private noteFailure(name: string, reason: string): void {
    this.failures.set(name, { untilMs: this.options.clock.nowMs() + RETRY_AFTER_MS, reason });
    this.options.log?.warn('endorsement_not_fetched', { name, reason });
  }

  /** Stale if error: what is held, while its signature says so. */
  private instead(held: HeldItem | null, reason: string): Obtained {
    if (held === null) return { held, outcome: 'failed', reason };
    const expired = unusableNow(held, this.options.clock.nowMs());
    if (expired !== null) return { held: null, outcome: 'failed', reason: `${reason}; of what is held, ${expired}` };
    return this.remember({ held, outcome: 'kept', reason });
  }

  private remember(obtained: Obtained): Obtained {
    if (obtained.held !== null) this.memory.set(nameOfItem(obtained.held.item), obtained.held);
    return obtained;
  }

  private async fetchOne(
    { item, issuers: about }: EndorsementNeed,
    kept: HeldItem | null,
  ): Promise<Obtained | { readonly failure: string }> {
    const served = await servedBy(item, this.urls, about ?? kept?.issuers ?? null);
    if (served === null) return { failure: 'nobody said which certificate it is about' };
    const { origin } = new URL(served.request.url);
    const etag = (served.request.post === undefined && kept?.entry?.etag) || undefined;
    const { fetch = globalThis.fetch, timeoutMs = TIMEOUT_MS } = this.options;
    const answer = await ask({ ...served.request, ...(etag === undefined ? {} : { etag }) }, { fetch, timeoutMs });
    if ('reason' in answer) return { failure: `${origin}: ${answer.reason}` };
    const isUnchanged = answer.status === 304;
    const read = isUnchanged ? kept : served.read(answer);
    if (read === null) return { failure: `${origin}: its answer is nothing of this kind` };
    const issuers = await this.issuersOf(served, read);
    const held = await this.accept(
      item,
      { bytes: read.bytes, issuers },
      { answer, origin, etag, silentMs: served.freshForMs },
    );
    if ('flaw' in held) return { failure: `${origin}: ${held.flaw}` };
    return { held, outcome: isUnchanged ? 'unchanged' : 'fetched', reason: '' };
  }

  /** The certificates of the answer, or of the item that has them. */
  private async issuersOf({ issuersFrom }: Served, read: EndorsementBytes): Promise<Uint8Array | null> {
    if (issuersFrom === undefined || read.issuers !== null) return read.issuers;
    const { held } = await this.get({ item: issuersFrom.item, issuers: null });
    const pem = held && (held.issuers ?? held.bytes);
    return pem && (issuersFrom.rootAlone ? rootAlone(pem) : pem);
  }

  /** Judge it, hold it against the clock and against what was held before, and keep it. */
  private async accept(
    item: EndorsementItem,
    found: EndorsementBytes,
    { answer, origin, etag, silentMs }: Answered,
  ): Promise<HeldItem | { readonly flaw: string }> {
    const nowMs = this.options.clock.nowMs();
    const validity = await judgeEndorsement(item, found, this.options.roots);
    if ('flaw' in validity) return validity;
    const expired = outOfDate(validity, nowMs);
    if (expired !== null) return { flaw: expired };
    const known = this.memory.get(nameOfItem(item));
    const newest = [await this.folder.highest(item), known === undefined ? null : highestOf(known.validity)];
    const newer = newest.find((highest) => highest !== null && isOlder(validity, highest));
    if (newer) return { flaw: olderThan(newer) };
    const entry = {
      source: origin,
      etag: etagOf(answer.headers) ?? (answer.status === 304 ? (etag ?? null) : null),
      fetchedAtMs: nowMs,
      freshUntilMs: Math.min(nowMs + freshForMs(answer.headers, silentMs), validity.untilMs),
    };
    return this.keep({ item, ...found, validity, entry });
  }

  /** Without a folder that can be written, what was verified is good for this process all the same. */
  private async keep(held: Parameters<EndorsementFolder['write']>[0]): Promise<HeldItem | { readonly flaw: string }> {
    try {
      return (await this.folder.write(held)) ?? held;
    } catch {
      this.options.log?.error('endorsement_not_kept', { name: nameOfItem(held.item) });
      return held;
    }
  }
}

/** RFC 9110 §8.8.3; anything else would not be sent back as it came. */
function etagOf(headers: Headers): string | null {
  const etag = headers.get('etag');
  return etag !== null && /^(W\/)?"[\x21\x23-\x7e]{0,200}"$/.test(etag) ? etag : null;
}

const outcomeOf = ({ item, outcome, reason }: ObtainedItem<Obtained>): FetchOutcome => ({
  name: nameOfItem(item),
  outcome,
  reason,
});

/** What was obtained under the names that the appraisal looks for, and what was not. */
export function combine(
  obtained: readonly { readonly item: EndorsementItem; readonly held: HeldItem | null; readonly reason: string }[],
): FoundEndorsements {
  const endorsements: Record<string, Uint8Array> = {};
  const missing: MissingEndorsement[] = [];
  for (const { item, held, reason } of obtained) {
    if (held === null) missing.push({ name: nameOfItem(item), reason });
    else Object.assign(endorsements, endorsementsOfItem(item, held));
  }
  return { endorsements, missing };
}
