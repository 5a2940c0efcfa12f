import {
  refuse,
  toUsufructError,
  verdictOf,
  type ContributionId,
  type Digest,
  type Verdict,
  type WireError,
} from '@usufruct/kernel';
import {
  logQueryDigest,
  parseAnswer,
  WALLET_ACTIONS,
  zConsistencyAnswer,
  zHex32,
  zLogAnswer,
  type ContributionView,
  type HolderSetView,
  type ReleaseLeaf,
} from '@usufruct/protocol';
import { z } from 'zod';
import { requestJson } from './api/http.js';
import type { ClientContext } from './context.js';
import { allEvents } from './governance/history.js';
import { firstGood, holderName, locateMembers } from './holders.js';
import { readRecord, writeRecord } from './journal.js';
import { AnchoredHeads, type AnchoredHead } from './log/anchored-heads.js';
import { judgeAnchors, judgeRemembered, type AskConsistency, type LogState } from './log/judge-growth.js';
import { judgeAnswer, type DatasetEntry } from './log/judge-log.js';
import { signedQuery } from './reader.js';

export interface HolderReleases {
  /** Position in the holder set, from 0. */
  readonly member: number;
  /** Oldest first; refusals are logged like releases. Empty where `error` is there. */
  readonly entries: readonly ReleaseLeaf[];
  /** Keys that rest on the whole dataset and outputs of jobs on it, the newest, oldest first. */
  readonly datasetEntries: readonly DatasetEntry[];
  /**
   * Signature of the tree head; that every entry is in that tree and is about this contribution or its dataset; that the log goes on
   * from what its holder has anchored on the chain, and from what this client saw the last time.
   */
  readonly verdict: Verdict;
  readonly error: WireError | null;
}

/** What this client remembers of a holder's log: the last head that passed every check. */
const zRemembered = z.object({
  treeSize: z.int(),
  rootHash: zHex32<Digest>(),
  /** Every anchor up to this event was compared. */
  comparedUpTo: z.int(),
});

/**
 * Ask every key holder who asked for the key of a contribution, when, for which purpose, and what it answered. Only
 * the owner's wallet can ask, once for all holders. One holder that is away does not hide the others. It reads every
 * event of the chain.
 *
 * It proves that each holder stands to what it says, and shows the same log to everybody who compares it with the
 * chain. It cannot show a holder that released without writing it down, nor one that leaves an entry out of its answer.
 */
export async function releasesOf(context: ClientContext, contributionId: ContributionId): Promise<HolderReleases[]> {
  const { chain } = context;
  const contribution = await chain.contribution(contributionId);
  requireOwner(context, contribution);
  const set = await chain.holderSet(contribution.holderSetId);
  const anchors = new AnchoredHeads(set);
  for await (const event of allEvents(context)) anchors.note(event);
  return readLogs(context, contribution, set, anchors);
}

export function requireOwner({ signer }: Pick<ClientContext, 'signer'>, { owner }: ContributionView): void {
  if (owner !== signer.address) throw refuse('WRONG_WALLET', { owner });
}

/** `anchors` must have been read before: what a holder anchors later may be longer than what it answers here. */
export async function readLogs(
  context: ClientContext,
  contribution: ContributionView,
  set: HolderSetView,
  anchors: AnchoredHeads,
): Promise<HolderReleases[]> {
  const query = { contributionId: contribution.id, issuedAtMs: context.clock.nowMs() };
  const queryFor = await signedQuery(context, WALLET_ACTIONS.logQuery, query, logQueryDigest);
  const urls = await locateMembers(context, set);
  const read = async (member: number, url: string): Promise<HolderReleases> => {
    const { signingPublicKey, operator } = set.members[member]!;
    const upstream = holderName(member);
    const body = await queryFor(signingPublicKey);
    const answer = parseAnswer(
      zLogAnswer,
      await requestJson({ fetch: context.fetch, url: `${url}/v1/log/query`, upstream, body }),
      upstream,
    );
    const { entries, datasetEntries, checks, head } = await judgeAnswer(set, member, contribution, answer);
    const anchored = anchors.of(operator);
    const grown = await growthChecks(context, signingPublicKey, head, anchored, askAt(context, url, upstream));
    const verdict = verdictOf([...checks, ...grown.checks]);
    if (verdict.ok) await grown.remember();
    return { member, entries, datasetEntries, verdict, error: null };
  };
  return Promise.all(set.members.map((_, member) => firstSound(member, urls[member] ?? [], read)));
}

/** Of all who claim the place the first whose log is sound; what is wrong with the others' is shown where none is. */
async function firstSound(
  member: number,
  urls: readonly string[],
  read: (member: number, url: string) => Promise<HolderReleases>,
): Promise<HolderReleases> {
  const unsound: HolderReleases[] = [];
  try {
    return await firstGood(urls, holderName(member), async (url) => {
      const answer = await read(member, url);
      if (answer.verdict.ok) return answer;
      unsound.push(answer);
      throw refuse('UPSTREAM_INVALID', { upstream: holderName(member), field: 'log' });
    });
  } catch (error) {
    const nothing = { entries: [], datasetEntries: [], verdict: verdictOf([]) };
    return unsound[0] ?? { member, ...nothing, error: toUsufructError(error).toWire() };
  }
}

async function growthChecks(
  { journal }: ClientContext,
  signingKey: string,
  { treeSize, rootHash }: LogState,
  anchors: readonly AnchoredHead[],
  ask: AskConsistency,
) {
  const key = `holder-log/${signingKey}`;
  const before = await readRecord(journal, key, zRemembered);
  const head = { treeSize, rootHash };
  const checks = [
    await judgeAnchors(head, anchors, before?.comparedUpTo ?? 0, ask),
    await judgeRemembered(head, before, ask),
  ];
  const comparedUpTo = anchors.at(-1)?.seq ?? 0;
  return { checks, remember: () => writeRecord(journal, key, { ...head, comparedUpTo }) };
}

const askAt =
  ({ fetch }: ClientContext, url: string, upstream: string): AskConsistency =>
  async (first, second) => {
    const path = `${url}/v1/log/consistency?first=${first}&second=${second}`;
    return parseAnswer(zConsistencyAnswer, await requestJson({ fetch, url: path, upstream }), upstream).proof;
  };
