import { createHash } from 'node:crypto';
import { leafHash, open, verifyRange } from '@usufruct/crypto';
import { equalBytes, fromBase64, fromHex, toHex, type ContributionId, type Digest } from '@usufruct/kernel';
import {
  contributionListDigest,
  ReleaseLeafBcs,
  sealedSharesAad,
  SHARE_BYTES,
  ShareBcs,
  shareReleaseInfo,
  TreeHeadBcs,
  zChainEvent,
  type ChainEvent,
} from '@usufruct/protocol';
import type { Readings } from './chain-line.js';
import type { FaultRun } from './fault-run.js';
import type { FaultWorld } from './fault-world.js';
import type { HolderProcess, Seen } from './holder-process.js';

export interface Findings {
  readonly flaws: readonly string[];
  readonly shares: number;
  readonly refusals: number;
  readonly entries: number;
  /** Shares of leased keys that were given out, and outputs of jobs that holders signed for. */
  readonly leases: number;
  readonly outputs: number;
  readonly settled: number;
  readonly refundedJobs: number;
}

/** What must hold after any history: who got which share, what the logs say of it, and where the money went. */
export async function findings(run: FaultRun): Promise<Findings> {
  const { world } = run;
  const flaws: string[] = [];
  const say = (flaw: string): void => void flaws.push(flaw);
  let [shares, refusals, entries] = [0, 0, 0];
  const events = eventsOf(world);
  const chainMs = (readings: Readings): number => events[(readings.get('events') ?? 0) - 1]?.atMs ?? 0;
  for (const seen of world.seen) {
    const given = seen.request.contributionIds.filter((_id, i) => seen.answer.entries[i]!.decision === 'RELEASED');
    shares += given.length;
    refusals += seen.request.contributionIds.length - given.length;
    const { jobId } = seen.request;
    for (const id of given) {
      const at = { ownMs: seen.answer.decidedAtMs, chainMs: chainMs(seen.readings) };
      const objection = world.model.objection(jobId, id, seen.readings, at);
      if (objection !== null) say(`holder ${seen.member} released ${id} for ${jobId}: ${objection}`);
    }
    await checkSealed(world, seen, given, say);
  }
  const leases = checkLeases(world, chainMs, say);
  const outputs = checkOutputs(world, say);
  for (const holder of world.holders) entries += checkLog(world, holder, events, say);
  for (const { member, before, after } of run.behind) {
    if (before !== after) say(`holder ${member} added to a log that was rolled back: ${before} → ${after}`);
  }
  return { flaws, shares, refusals, entries, leases, outputs, ...checkMoney(run, events, say) };
}

type Say = (flaw: string) => void;

/** A key is leased only while each contribution that could be used when it was stored there may be used still. */
function checkLeases(world: FaultWorld, chainMs: (readings: Readings) => number, say: Say): number {
  const { model, contributions } = world;
  const usable = new Map<string, readonly ContributionId[]>();
  let leases = 0;
  for (const { member, kind, keyId, jobId, atMs, readings } of world.leases) {
    const at = { ownMs: atMs, chainMs: chainMs(readings) };
    const key = `${member}/${keyId}`;
    if (kind === 'stored') {
      const allowed = contributions.filter(({ id }) => model.notAllowed(id, readings, at) === null);
      if (!usable.has(key))
        usable.set(
          key,
          allowed.map(({ id }) => id),
        );
      continue;
    }
    leases += 1;
    for (const id of usable.get(key) ?? []) {
      const objection = model.objection(jobId, id, readings, at);
      if (objection !== null) say(`holder ${member} leased a key that rests on ${id} for ${jobId}: ${objection}`);
    }
  }
  return leases;
}

/** A holder signs for one output of a job, whatever becomes of it and of what it sent. */
function checkOutputs({ outputs }: FaultWorld, say: Say): number {
  const signed = new Map<string, Digest>();
  for (const { member, jobId, outputDigest } of outputs) {
    const key = `${member}/${jobId}`;
    if ((signed.get(key) ?? outputDigest) !== outputDigest) say(`holder ${member} signed for two outputs of ${jobId}`);
    signed.set(key, outputDigest);
  }
  return signed.size;
}

const eventsOf = ({ store }: FaultWorld): ChainEvent[] =>
  store.events(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).map((text) => zChainEvent.parse(JSON.parse(text)));

/** What was sealed is exactly the shares that the answer says are released, and each is the one that was dealt. */
async function checkSealed(world: FaultWorld, seen: Seen, given: readonly ContributionId[], say: Say): Promise<void> {
  const { request, answer, member } = seen;
  if (answer.sealedShares === undefined) {
    if (given.length > 0) say(`holder ${member} says that it released, and gave nothing`);
    return;
  }
  const plaintext = await openedBy(world, seen, given);
  if (plaintext === null) return say(`holder ${member} sealed another list than it says, for ${request.jobId}`);
  if (plaintext.length !== given.length * SHARE_BYTES) say(`holder ${member} gave more or less than it says`);
  for (const [i, id] of given.entries()) {
    const share = ShareBcs.parse(plaintext.subarray(i * SHARE_BYTES, (i + 1) * SHARE_BYTES));
    const dealt = world.contributions.find((one) => one.id === id)?.shares[member];
    if (dealt === undefined || share.index !== dealt.index || !equalBytes(share.value, dealt.value)) {
      say(`holder ${member} gave another share of ${id} than was dealt`);
    }
  }
}

async function openedBy(
  { runner, chain, policyDigests }: FaultWorld,
  { request, answer }: Seen,
  given: readonly ContributionId[],
): Promise<Uint8Array | null> {
  const { jobId, bundle, contributionIds } = request;
  const signer = fromBase64(bundle.signingPublicKey);
  const keys = runner.keys.find(({ bound }) => equalBytes(bound.signingPublicKey, signer));
  const { chainId, packageId } = chain.info;
  const challenge = fromBase64(request.challenge);
  const asked = contributionListDigest(contributionIds);
  for (const policyDigest of policyDigests) {
    const info = shareReleaseInfo({
      chainId,
      packageId,
      policyDigest: policyDigest as Digest,
      challenge,
      jobId,
      asked,
    });
    const sealed = fromBase64(answer.sealedShares!);
    const opening = open({ privateKey: keys!.hpke.privateKey, info, aad: sealedSharesAad(given), sealed });
    const plaintext = await opening.catch(() => null);
    if (plaintext !== null) return plaintext;
  }
  return null;
}

/** The log on the disk has every answer that left, where it was proven to be, and goes on from every head ever given. */
function checkLog(
  world: FaultWorld,
  { options, running, keys }: HolderProcess,
  events: ChainEvent[],
  say: Say,
): number {
  const { member } = options;
  const rows = running.holder.database.prepare('SELECT leaf FROM leaves ORDER BY leaf_index').all();
  const leaves = rows.map((row) => row['leaf'] as Uint8Array);
  const roots = new Map<number, string>();
  const rootOf = (size: number): string => {
    const known = roots.get(size) ?? toHex(ownRoot(leaves.slice(0, size)));
    roots.set(size, known);
    return known;
  };
  const checkHead = (size: number, root: string, whose: string): void => {
    if (size > leaves.length || `0x${rootOf(size)}` !== root) say(`holder ${member}: ${whose} is of another log`);
  };
  for (const seen of world.seen) {
    if (seen.member !== member) continue;
    const head = TreeHeadBcs.parse(fromBase64(seen.answer.head.treeHead));
    checkHead(head.treeSize, head.rootHash, 'a head that it gave');
    checkEntries(seen, leaves, head, say);
  }
  for (const { data, sender } of events) {
    if (data.type !== 'TreeHeadAnchored' || sender !== keys.operator.address) continue;
    checkHead(data.treeSize, data.rootHash, 'a head that it anchored');
  }
  return leaves.length;
}

function checkEntries(
  { request, answer, member }: Seen,
  leaves: readonly Uint8Array[],
  { treeSize, rootHash }: { readonly treeSize: number; readonly rootHash: Digest },
  say: Say,
): void {
  const { contributionIds, jobId, bundle } = request;
  const { firstIndex, entries } = answer;
  const own = leaves.slice(firstIndex, firstIndex + entries.length);
  const isThere = contributionIds.every((id, i) => {
    const leaf = own[i] && ReleaseLeafBcs.parse(own[i]);
    const isSame = leaf?.contributionId === id && leaf.jobId === jobId && leaf.decision === entries[i]!.decision;
    return isSame && equalBytes(leaf.runnerSigningKey, fromBase64(bundle.signingPublicKey));
  });
  if (!isThere) say(`holder ${member}: a release for ${jobId} is missing from its log`);
  const proof = answer.inclusionProof.map((hash) => fromBase64(hash));
  const claim = { leafHashes: own.map((leaf) => leafHash(leaf)), firstIndex, treeSize, proof, root: fromHex(rootHash) };
  if (!verifyRange(claim)) say(`holder ${member}: a release for ${jobId} was not proven`);
}

/** RFC 6962, section 2.1, word by word. */
function ownRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const hash = (...parts: Uint8Array[]): Uint8Array => {
    const made = createHash('sha256');
    for (const part of parts) made.update(part);
    return made.digest();
  };
  if (leaves.length === 0) return hash();
  if (leaves.length === 1) return hash(Uint8Array.of(0), leaves[0]!);
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return hash(Uint8Array.of(1), ownRoot(leaves.slice(0, k)), ownRoot(leaves.slice(k)));
}

/** Each job: what was locked is what its answers cost, each of them once, and what was given back, once. */
function checkMoney({ jobs, told, world }: FaultRun, events: ChainEvent[], say: Say) {
  const balances = new Map<string, bigint>();
  const add = (account: string, amount: bigint): void =>
    void balances.set(account, (balances.get(account) ?? 0n) + amount);
  const locked = new Map<string, bigint>();
  const closed = new Set<string>();
  const paid = new Set<string>();
  let refundedJobs = 0;
  for (const { data } of events) {
    if (data.type === 'Minted') add(data.to, data.amountUnits);
    if (data.type === 'JobFunded') {
      const price = data.job.pricePerQuestionUnits * BigInt(data.job.maxQuestions);
      locked.set(data.job.id, price);
      add(data.job.requester, -price);
    }
    if (data.type === 'ReceiptSettled') {
      const key = `${data.jobId}/${data.questionId}`;
      if (paid.has(key)) say(`${key} was paid twice`);
      if (closed.has(data.jobId)) say(`${key} was paid after its job was closed`);
      paid.add(key);
      const parts = data.payouts.reduce((sum, { amountUnits }) => sum + amountUnits, 0n);
      if (parts !== data.priceUnits) say(`${key} cost ${data.priceUnits} and paid ${parts}`);
      for (const { account, amountUnits } of data.payouts) add(account, amountUnits);
      locked.set(data.jobId, locked.get(data.jobId)! - parts);
    }
    if (data.type === 'JobClosed') {
      if (closed.has(data.jobId)) say(`${data.jobId} was closed twice`);
      closed.add(data.jobId);
      if (locked.get(data.jobId) !== data.refundUnits) say(`${data.jobId} was refunded another sum than was left`);
      if (data.refundUnits > 0n) refundedJobs += 1;
      add(data.refundedTo, data.refundUnits);
    }
  }
  for (const { id } of jobs) if (!closed.has(id)) say(`${id} is neither finished nor refunded`);
  for (const [account, amount] of balances) {
    const there = world.balanceOf({ address: account });
    if (there !== amount) say(`${account} has ${there}, and should have ${amount}`);
  }
  for (const { jobId, questionId } of told.settled) {
    if (!paid.has(`${jobId}/${questionId}`)) say(`${questionId} was answered and is not settled`);
  }
  return { settled: paid.size, refundedJobs };
}
