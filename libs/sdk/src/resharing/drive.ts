import { fromBase64, toBase64, toUsufructError, type Digest } from '@usufruct/kernel';
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
  type DealingFault,
  type ReshareCertificate,
} from '@usufruct/protocol';
import { dealtFlaw, fromCommitmentsOf, isAcknowledgement, isContradicted, resultOf } from './blame.js';
import type { ReshareHolder } from './holder-client.js';
import { fetchManifestBytes, lookAt, type ReshareContext, type ReshareLook } from './look.js';
import {
  onePerIndex,
  partFor,
  type Accuser,
  type BatchManifest,
  type Dealt,
  type Given,
  type Receiver,
} from './exchange.js';
import { planFor, type Dealer, type Pending } from './plan.js';
import type { ReshareFault, ReshareOptions, ReshareReport, WaitingManifests } from './report.js';
import { resumable } from './resume.js';

/** Manifests of one message must fit into a body with what is dealt for them. */
const BATCH_MANIFEST_BYTES = 3 * 1024 ** 2;

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
  run.judgeHoldings(last, after.pending);
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

class Resharing {
  total = 0;
  readonly waiting: WaitingManifests[] = [];
  readonly faults: ReshareFault[] = [];
  private done = 0;
  /** That holders were shown, of any version. */
  private certificates: readonly ReshareCertificate[] = [];
  /** Members that signed for a manifest. */
  private readonly certified = new Map<Digest, readonly number[]>();
  /** Signing keys of holders that could not be shown a certificate. */
  private readonly notShown = new Set<string>();

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
      const isOrigin = one.commitments === null;
      const fromCommitments = fromCommitmentsOf(one.commitments, heldKeys(decodeManifest(bytes)).commitments);
      const key = JSON.stringify([
        fromCommitments.length,
        ...one.dealers.map(({ holder, index }) => [holder.url, index]),
      ]);
      const known = open.get(key);
      const fits =
        known !== undefined &&
        known.batch.length < LIMITS.manifestsPerResharing &&
        known.bytes + bytes.length <= BATCH_MANIFEST_BYTES;
      const group = fits ? known : { bytes: 0, batch: [] };
      if (!fits) batches.push(group.batch);
      group.bytes += bytes.length;
      group.batch.push({ ...one, bytes, isOrigin, fromCommitments });
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
    const threshold = batch[0]!.fromCommitments.length;
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
      return this.finish(batch, this.agreed(batch, dealt, acks));
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
    let left = dealers;
    while (dealt.length < threshold && left.length > 0) {
      // Two that claim one place cannot both be right: the second is asked when the first was refused.
      const taken = new Set(dealt.map(({ dealer }) => dealer.index));
      const asked = onePerIndex(left.filter(({ index }) => !taken.has(index))).slice(0, threshold - dealt.length);
      left = left.filter((dealer) => !asked.includes(dealer) && !taken.has(dealer.index));
      const answers = await Promise.all(
        asked.map(async (dealer): Promise<Dealt[]> => {
          try {
            return [{ dealer, answer: await this.dealTo(to, batch, dealer) }];
          } catch (error) {
            this.blame(dealer.holder, error, null);
            return [];
          }
        }),
      );
      for (const [one] of answers) {
        if (one === undefined) continue;
        const receivers = to.filter(({ holder }) => !one.answer.leftOut.has(holder.signingPublicKey));
        const key = { signingPublicKey: one.dealer.holder.signingPublicKey, index: one.dealer.index };
        const keys = receivers.map(({ holder }) => holder.signingPublicKey);
        const reason = await dealtFlaw(one.answer, this.look, key, batch, keys);
        if (reason === null) dealt.push(one);
        else this.faults.push({ dealer: key.signingPublicKey, saidBy: null, reason, manifestDigest: null });
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
    leftOut: ReadonlySet<string> = new Set(),
  ): Promise<Dealt['answer']> {
    const { set } = this.look;
    const manifestDigests = batch.map(({ manifestDigest }) => manifestDigest);
    const receivers = to.map(({ signed }) => signed);
    try {
      const request = { holderSetId: set.id, toVersion: set.version, manifestDigests, receivers };
      return { ...(await holder.deal(request)), leftOut };
    } catch (error) {
      const { code, details } = toUsufructError(error);
      const refused = to.find((one) => one.holder.signingPublicKey === details['holder']);
      if (code !== 'SEALING_KEY_INVALID' || refused === undefined) throw error;
      this.blame(refused.holder, error, null);
      return this.dealTo(
        to.filter((one) => one !== refused),
        batch,
        { holder },
        new Set([...leftOut, refused.holder.signingPublicKey]),
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
          if (!answer.ok) return this.accused(answer.faults, { batch, dealt, holder, member }, refused);
          const own = dealings.map(({ dealing }) => dealing);
          if (!(await isAcknowledgement(answer, this.look, member, own))) return this.falselySigned(holder);
          const signed = acks.get(answer.result) ?? [];
          acks.set(answer.result, [...signed, { member, signature: answer.signature }]);
        } catch (error) {
          this.blame(holder, error, member);
        }
      }),
    );
    return { acks, refused };
  }

  /** By a member: a dealer, unless its own signed bytes contradict that. */
  private accused(
    faults: readonly DealingFault[],
    { batch, dealt, holder, member }: Accuser,
    refused: Set<string>,
  ): void {
    for (const fault of faults) {
      const { dealing, reason, manifestDigest } = fault;
      const one = dealt[dealing];
      const wasGiven = one !== undefined && !one.answer.leftOut.has(holder.signingPublicKey);
      const dealer = one?.dealer.holder.signingPublicKey ?? null;
      if (dealer === null || (wasGiven && isContradicted(fault, one.answer.dealing, batch, this.look.set.threshold))) {
        const seen = { saidBy: null, reason: 'FALSE_ACCUSATION', manifestDigest } as const;
        this.faults.push({ dealer: holder.signingPublicKey, ...seen });
        continue;
      }
      refused.add(dealer);
      this.faults.push({ dealer, saidBy: member, reason, manifestDigest });
    }
  }

  private falselySigned({ signingPublicKey: dealer }: Pick<ReshareHolder, 'signingPublicKey'>): void {
    const isKnown = this.faults.some((one) => one.dealer === dealer && one.reason === 'FALSE_ACKNOWLEDGEMENT');
    if (isKnown) return;
    this.faults.push({ dealer, saidBy: null, reason: 'FALSE_ACKNOWLEDGEMENT', manifestDigest: null });
  }

  private async finish(batch: readonly BatchManifest[], given: Given['acks']): Promise<void> {
    const { set } = this.look;
    const living = livingMembers(set).length;
    const needed = this.options.leaveOutAbsent === true ? reshareQuorum(living, set.threshold) : living;
    const [result, acks] = [...given.entries()].sort(([, a], [, b]) => b.length - a.length)[0] ?? ['', []];
    if (acks.length < needed) return this.wait(batch, 'MEMBERS_MISSING', needed, acks.length);
    for (const { manifestDigest } of batch)
      this.certified.set(
        manifestDigest,
        acks.map(({ member }) => member),
      );
    await this.certify({ result, acks: acks.toSorted((a, b) => a.member - b.member) });
    this.report(batch.length);
  }

  /** Members that have the same dealings have the same result: who signed another is named, by reckoning it here. */
  private agreed(batch: readonly BatchManifest[], dealt: readonly Dealt[], given: Given['acks']): Given['acks'] {
    if (given.size < 2) return given;
    const dealings = dealt.map(({ answer }) => answer.dealing);
    const right = resultOf(this.look, batch, dealings);
    for (const [result, acks] of given) {
      if (result !== right) for (const { member } of acks) this.falselySigned(this.look.set.members[member]!);
    }
    return new Map([[right, given.get(right) ?? []]]);
  }

  /** Who signed that it has its share, and shows none when all is done. */
  judgeHoldings({ set, holders }: ReshareLook, pending: readonly Pending[]): void {
    for (const { manifestDigest } of pending) {
      for (const member of this.certified.get(manifestDigest) ?? []) {
        const known = holders.find((one) => one.member === member);
        const isThere = known?.holdings.get(manifestDigest)?.version === set.version;
        const wasShown = known !== undefined && !this.notShown.has(known.holder.signingPublicKey);
        if (wasShown && !isThere) this.falselySigned(known.holder);
      }
    }
  }

  /** Members first: nobody's old share goes before theirs are there. */
  private async certify(certificate: ReshareCertificate): Promise<void> {
    const { holders } = this.look;
    for (const isMember of [true, false]) {
      const those = holders.filter(({ member }) => (member !== null) === isMember);
      await Promise.all(
        those.map(async ({ holder, member }) => {
          try {
            const { missing } = await holder.certify(certificate);
            // It has signed that it has what it now says that it has not.
            if (missing > 0 && certificate.acks.some((ack) => ack.member === member)) this.falselySigned(holder);
          } catch (error) {
            // It was not shown what it may use its share for, which is no lie of its own.
            this.notShown.add(holder.signingPublicKey);
            this.blame(holder, error, member);
          }
        }),
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
