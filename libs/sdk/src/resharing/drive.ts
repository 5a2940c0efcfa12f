import { fromBase64, toBase64, toUsufructError, type Digest, type ErrorCode, type HolderSetId } from '@usufruct/kernel';
import { verify } from '@usufruct/crypto';
import {
  decodeManifest,
  decodeReshareResult,
  heldKeys,
  isLiving,
  LIMITS,
  livingMembers,
  requireSealingKey,
  reshareQuorum,
  splitPoints,
  type DealAnswer,
  type DealingFaultReason,
  type ReshareCertificate,
  type SignedSealingKey,
} from '@usufruct/protocol';
import type { ReshareHolder } from './holder-client.js';
import { fetchManifestBytes, lookAt, type ReshareContext, type ReshareLook } from './look.js';
import { planFor, type Dealer, type Pending } from './plan.js';
import { resumable } from './resume.js';

/** Manifests of one message must fit into a body with what is dealt for them. */
const BATCH_MANIFEST_BYTES = 3 * 1024 ** 2;

export interface ReshareOptions {
  readonly holderSetId: HolderSetId;
  /** Addresses of holders beyond the client's own: those that join, and those that left. */
  readonly holderUrls?: readonly string[];
  /** Go on without members that do not answer, as long as enough others do; they get no share before the next version. */
  readonly leaveOutAbsent?: boolean;
  readonly onProgress?: (progress: ReshareProgress) => void;
}
export interface ReshareProgress {
  readonly manifests: number;
  readonly done: number;
  readonly waiting: number;
}

/** Somebody did something wrong, by its signing key. */
export interface ReshareFault {
  readonly dealer: string | null;
  /** The member that says so, from 0; null where it could be seen from here. */
  readonly saidBy: number | null;
  readonly reason: DealingFaultReason | ErrorCode;
  readonly manifestDigest: Digest | null;
}
export interface WaitingManifests {
  readonly manifestDigests: readonly Digest[];
  readonly reason: 'DEALERS_MISSING' | 'MEMBERS_MISSING' | 'MANIFEST_UNAVAILABLE';
  /** How many are needed and how many there are, of dealers or members. */
  readonly needed: number;
  readonly given: number;
}
export interface ReshareReport {
  readonly holderSetId: HolderSetId;
  readonly version: number;
  readonly manifests: number;
  readonly done: number;
  /** Members of the version that did not answer, from 0. */
  readonly absent: readonly number[];
  readonly waiting: readonly WaitingManifests[];
  readonly faults: readonly ReshareFault[];
  /** Shares of holders that are no members any more, still there at those that answered. */
  readonly oldSharesLeft: number;
}

/**
 * Bring the shares of everything that a holder set holds to the version that the chain has now: carry dealings from old
 * holders to the members, their signatures to everybody. Needs no contributor and no key of anybody's; sees ciphertext,
 * public commitments and signatures. It can stop at any point and be run again, by anybody: what was done is found.
 *
 * Whatever goes wrong is in the report and names who did it; only the chain's own refusals are thrown. A dealer that a
 * member refuses is replaced by another; where there is none, the member is passed over instead.
 */
export async function reshare(context: ReshareContext, options: ReshareOptions): Promise<ReshareReport> {
  const first = await lookAt(context, options.holderSetId, options.holderUrls);
  const run = new Resharing(context, first, options);
  await run.spreadCertificates();
  const before = planFor(await run.lookAgain());
  const plan = (await run.resume(before.pending)) ? planFor(await run.lookAgain()) : before;
  run.total = plan.done.length + plan.pending.length;
  run.report(plan.done.length);
  for (const batch of await run.batches(plan.pending)) await run.share(batch);
  const last = await run.lookAgain();
  const after = planFor(last);
  return {
    holderSetId: options.holderSetId,
    version: last.set.version,
    manifests: after.done.length + after.pending.length,
    done: after.done.length,
    absent: last.absent,
    waiting: run.waiting,
    faults: run.faults,
    oldSharesLeft: last.holders
      .filter(({ member }) => member === null)
      .reduce((sum, { holdings }) => sum + holdings.size, 0),
  };
}

interface BatchManifest extends Pending {
  readonly bytes: Uint8Array;
  readonly threshold: number;
}

class Resharing {
  total = 0;
  readonly waiting: WaitingManifests[] = [];
  readonly faults: ReshareFault[] = [];
  private done = 0;
  /** That holders were shown, of any version. */
  private certificates: readonly ReshareCertificate[] = [];

  constructor(
    private readonly context: ReshareContext,
    private look: ReshareLook,
    private readonly options: ReshareOptions,
  ) {}

  async lookAgain(): Promise<ReshareLook> {
    this.look = await lookAt(this.context, this.options.holderSetId, this.options.holderUrls);
    return this.look;
  }

  report(more: number): void {
    this.done += more;
    const waiting = this.waiting.reduce((sum, { manifestDigests }) => sum + manifestDigests.length, 0);
    this.options.onProgress?.({ manifests: this.total, done: this.done, waiting });
  }

  /** Whoever drove this before may have died between two holders. */
  async spreadCertificates(): Promise<void> {
    const { set, holders } = this.look;
    const answers = await Promise.allSettled(holders.map(({ holder }) => holder.certificates(set.id)));
    const all = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    this.certificates = [...new Map(all.map((certificate) => [certificate.result, certificate])).values()];
    for (const certificate of this.certificates) {
      const result = decodeReshareResult(fromBase64(certificate.result, 'result'));
      if (result?.toVersion === set.version) await this.certify(certificate);
    }
  }

  /** What members have received already needs no dealer. Whether there was any. */
  async resume(pending: readonly Pending[]): Promise<boolean> {
    const resumed = await resumable(this.look, pending, {
      leaveOutAbsent: this.options.leaveOutAbsent === true,
      certificates: this.certificates,
      onRefusal: (holder, error) => this.blame(holder, error, null),
    });
    for (const { certificate, isPast, holders } of resumed) {
      if (!isPast) await this.certify(certificate);
      // That a holder knows nothing of a past version is nobody's fault.
      else await Promise.allSettled(holders.map((holder) => holder.certify(certificate)));
    }
    return resumed.length > 0;
  }

  /** The same dealers for all of a batch, and bodies of a bounded size. */
  async batches(pending: readonly Pending[]): Promise<BatchManifest[][]> {
    const open = new Map<string, { bytes: number; batch: BatchManifest[] }>();
    const batches: BatchManifest[][] = [];
    for (const one of pending) {
      const bytes = await this.manifestBytes(one);
      if (bytes === null) continue;
      const threshold =
        one.commitments === null
          ? heldKeys(decodeManifest(bytes)).threshold
          : splitPoints(fromBase64(one.commitments, 'commitments')).length;
      const key = JSON.stringify([threshold, ...one.dealers.map(({ holder, index }) => [holder.url, index])]);
      const known = open.get(key);
      const fits =
        known !== undefined &&
        known.batch.length < LIMITS.manifestsPerResharing &&
        known.bytes + bytes.length <= BATCH_MANIFEST_BYTES;
      const group = fits ? known : { bytes: 0, batch: [] };
      if (!fits) batches.push(group.batch);
      group.bytes += bytes.length;
      group.batch.push({ ...one, bytes, threshold });
      open.set(key, group);
    }
    return batches;
  }

  private async manifestBytes(one: Pending): Promise<Uint8Array | null> {
    const bytes = await fetchManifestBytes(this.context, one).catch(() => null);
    if (bytes === null) this.wait([one], 'MANIFEST_UNAVAILABLE', 1, 0);
    return bytes;
  }

  /** One batch to its end, or to what it waits for. */
  async share(batch: readonly BatchManifest[]): Promise<void> {
    const { threshold } = batch[0]!;
    let dealers = batch[0]!.dealers;
    for (;;) {
      const receivers = await this.receivers();
      const dealt = await this.deal(batch, dealers, threshold, receivers);
      if (dealt.length < threshold) return this.wait(batch, 'DEALERS_MISSING', threshold, dealt.length);
      const { acks, refused } = await this.give(batch, dealt, receivers);
      const others = dealers.filter((dealer) => !refused.has(dealer.holder.signingPublicKey));
      const isReplaceable = others.length < dealers.length && others.length >= threshold;
      if (isReplaceable) {
        dealers = others;
        continue;
      }
      return this.finish(batch, acks);
    }
  }

  /**
   * Living members that say which key to seal to now. Dealers check their words themselves; one that is none is left out
   * here already, so that it keeps the others from nothing. Asked for each batch: keys have their time.
   */
  private async receivers(): Promise<Receiver[]> {
    const { set, holders, chainId, packageId } = this.look;
    const nowMs = this.context.clock.nowMs();
    const asked = holders.map(async ({ holder, member: position }): Promise<Receiver[]> => {
      const member = position === null ? undefined : set.members[position];
      if (position === null || member === undefined || !isLiving(set, member)) return [];
      try {
        const signed = await holder.sealingKey();
        await requireSealingKey(signed, { member, chainId, packageId, nowMs, verify });
        return [{ holder, member: position, signed }];
      } catch (error) {
        this.blame(holder, error, null);
        return [];
      }
    });
    return (await Promise.all(asked)).flat();
  }

  /** From the first of them that can, as many as the threshold. */
  private async deal(
    batch: readonly BatchManifest[],
    dealers: readonly Dealer[],
    threshold: number,
    to: readonly Receiver[],
  ): Promise<Dealt[]> {
    const dealt: Dealt[] = [];
    for (const dealer of dealers) {
      if (dealt.length === threshold) break;
      try {
        dealt.push({ dealer, answer: await this.dealTo(to, batch, dealer) });
      } catch (error) {
        this.blame(dealer.holder, error, null);
      }
    }
    return dealt;
  }

  /**
   * To those whose words the dealer takes, too: one that it does not would otherwise keep everybody from theirs. A dealer
   * that only says so is named by the member that it left out, and replaced.
   */
  private async dealTo(
    to: readonly Receiver[],
    batch: readonly BatchManifest[],
    { holder }: Pick<Dealer, 'holder'>,
  ): Promise<DealAnswer> {
    const { set } = this.look;
    const manifestDigests = batch.map(({ manifestDigest }) => manifestDigest);
    const receivers = to.map(({ signed }) => signed);
    try {
      return await holder.deal({ holderSetId: set.id, toVersion: set.version, manifestDigests, receivers });
    } catch (error) {
      const { code, details } = toUsufructError(error);
      const refused = to.find((one) => one.holder.signingPublicKey === details['holder']);
      if (code !== 'SEALING_KEY_INVALID' || refused === undefined) throw error;
      this.blame(refused.holder, error, null);
      return this.dealTo(
        to.filter((one) => one !== refused),
        batch,
        { holder },
      );
    }
  }

  /** To every living member that it was sealed to. Who refuses a dealing names its dealer. */
  private async give(
    batch: readonly BatchManifest[],
    dealt: readonly Dealt[],
    receivers: readonly Receiver[],
  ): Promise<Given> {
    const { set } = this.look;
    const acks = new Map<string, ReshareCertificate['acks']>();
    const refused = new Set<string>();
    const manifests = batch.map(({ bytes, commitments }) => ({ manifest: toBase64(bytes), commitments }));
    await Promise.all(
      receivers.map(async ({ holder, member }) => {
        try {
          const dealings = dealt.map(({ answer }) => partFor(answer, holder));
          const request = { holderSetId: set.id, toVersion: set.version, manifests, dealings };
          const answer = await holder.subShares(request);
          if (answer.ok) {
            const signed = acks.get(answer.result) ?? [];
            acks.set(answer.result, [...signed, { member, signature: answer.signature }]);
            return;
          }
          for (const { dealing, reason, manifestDigest } of answer.faults) {
            const dealer = dealt[dealing]?.dealer.holder.signingPublicKey ?? null;
            if (dealer !== null) refused.add(dealer);
            this.faults.push({ dealer, saidBy: member, reason, manifestDigest });
          }
        } catch (error) {
          this.blame(holder, error, member);
        }
      }),
    );
    return { acks, refused };
  }

  private async finish(batch: readonly BatchManifest[], given: Given['acks']): Promise<void> {
    const { set } = this.look;
    const living = livingMembers(set).length;
    const needed = this.options.leaveOutAbsent === true ? reshareQuorum(living, set.threshold) : living;
    const [result, acks] = [...given.entries()].sort(([, a], [, b]) => b.length - a.length)[0] ?? ['', []];
    if (acks.length < needed) return this.wait(batch, 'MEMBERS_MISSING', needed, acks.length);
    await this.certify({ result, acks: acks.toSorted((a, b) => a.member - b.member) });
    this.report(batch.length);
  }

  /** Members first: nobody's old share goes before theirs are there. */
  private async certify(certificate: ReshareCertificate): Promise<void> {
    const { holders } = this.look;
    for (const isMember of [true, false]) {
      const those = holders.filter(({ member }) => (member !== null) === isMember);
      await Promise.all(
        those.map(({ holder, member }) =>
          holder.certify(certificate).catch((error: unknown) => this.blame(holder, error, member)),
        ),
      );
    }
  }

  private wait(batch: readonly Pending[], reason: WaitingManifests['reason'], needed: number, given: number): void {
    this.waiting.push({ manifestDigests: batch.map(({ manifestDigest }) => manifestDigest), reason, needed, given });
    this.report(0);
  }

  private blame({ signingPublicKey }: ReshareHolder, error: unknown, saidBy: number | null): void {
    const { code } = toUsufructError(error);
    this.faults.push({ dealer: signingPublicKey, saidBy, reason: code, manifestDigest: null });
  }
}

interface Receiver {
  readonly holder: ReshareHolder;
  /** Place in the version, from 0. */
  readonly member: number;
  /** Its word about the key to seal to. */
  readonly signed: SignedSealingKey;
}
interface Dealt {
  readonly dealer: Dealer;
  readonly answer: DealAnswer;
}
interface Given {
  /** By result: receivers that agree have the same bytes. */
  readonly acks: ReadonlyMap<string, ReshareCertificate['acks']>;
  /** Signing keys of dealers that a member refused. */
  readonly refused: ReadonlySet<string>;
}

/** What is missing is sent as nothing, so that the receiver names the dealer. */
function partFor({ dealing, sealed }: DealAnswer, receiver: ReshareHolder) {
  const own = sealed.find((part) => part.receiver === receiver.signingPublicKey);
  const { sealedTo = '', sealed: bytes = '', signature = '' } = own ?? {};
  return { dealing, sealedTo, sealed: bytes, signature };
}
