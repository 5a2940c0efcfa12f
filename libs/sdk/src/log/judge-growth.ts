import { verifyConsistency } from '@usufruct/crypto';
import {
  failed,
  fromBase64,
  fromHex,
  passed,
  skipped,
  toUsufructError,
  type Check,
  type Digest,
} from '@usufruct/kernel';
import type { AnchoredHead } from './anchored-heads.js';

export interface LogState {
  readonly treeSize: number;
  readonly rootHash: Digest;
}
/** The holder's proof that its log of `first` entries is a beginning of that of `second` entries, base64. */
export type AskConsistency = (first: number, second: number) => Promise<readonly string[]>;

/** Newest first: one request to the holder each. */
const ANCHORS_COMPARED = 32;

/**
 * Whether a log's head goes on from the heads that its holder has put on the chain. A log that was cut is shorter than
 * one of them, a log that was forked is inconsistent with one; and a holder that gives no proof has none.
 *
 * Every anchor since `comparedUpTo` is compared, at most the newest 32 of them: of a fork that was given up before
 * those, nothing shows.
 */
export async function judgeAnchors(
  head: LogState,
  anchors: readonly AnchoredHead[],
  comparedUpTo: number,
  ask: AskConsistency,
): Promise<Check> {
  const name = 'ANCHORED';
  if (anchors.length === 0) return skipped(name, 'this holder has anchored nothing on the chain yet');
  const last = anchors.at(-1);
  const due = anchors.filter((anchor) => anchor.seq > comparedUpTo || anchor === last).slice(-ANCHORS_COMPARED);
  for (const anchor of due.toReversed()) {
    const flaw = await flawOf(anchor, head, ask, 'on the chain');
    if (flaw !== null) return failed(name, flaw);
  }
  return passed(name, `${due.length} heads on the chain`);
}

/** Whether it goes on from what this client saw the last time: a fork shows before anybody has anchored it. */
export async function judgeRemembered(head: LogState, before: LogState | null, ask: AskConsistency): Promise<Check> {
  const name = 'REMEMBERED';
  if (before === null) return skipped(name, 'the first time that this client reads this log');
  const flaw = await flawOf(before, head, ask, 'seen the last time');
  return flaw === null ? passed(name, `${before.treeSize} entries the last time`) : failed(name, flaw);
}

async function flawOf(before: LogState, head: LogState, ask: AskConsistency, where: string): Promise<string | null> {
  const { treeSize: oldSize, rootHash: oldRoot } = before;
  const { treeSize: newSize, rootHash: newRoot } = head;
  if (newSize < oldSize) return `the log was cut: it has ${newSize} entries, and had ${oldSize} ${where}`;
  if (newSize === oldSize)
    return newRoot === oldRoot ? null : `the log was forked: another one of that size was ${where}`;
  try {
    const proof = (await ask(oldSize, newSize)).map((hash) => fromBase64(hash));
    const roots = { oldRoot: fromHex(oldRoot), newRoot: fromHex(newRoot) };
    if (verifyConsistency({ oldSize, newSize, ...roots, proof })) return null;
    return `the log was forked: it does not go on from the ${oldSize} entries ${where}`;
  } catch (error) {
    return `the holder did not prove that its log goes on from that ${where}: ${toUsufructError(error).code}`;
  }
}
