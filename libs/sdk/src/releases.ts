import {
  checkThat,
  fromBase64,
  fromHex,
  toUsufructError,
  verdictOf,
  type Check,
  type ContributionId,
  type Verdict,
  type WireError,
} from '@usufruct/kernel';
import { leafHash, verify, verifyInclusion } from '@usufruct/crypto';
import {
  LogQueryBcs,
  parseAnswer,
  ReleaseLeafBcs,
  taggedDigest,
  TAGS,
  TreeHeadBcs,
  WALLET_ACTIONS,
  walletStatementBytes,
  zLogAnswer,
  type HolderSetView,
  type ReleaseLeaf,
} from '@usufruct/protocol';
import { refuse } from '@usufruct/kernel';
import type { z } from 'zod';
import { requestJson } from './api/http.js';
import type { ClientContext } from './context.js';
import { holderName, locateMembers } from './holders.js';

export interface HolderReleases {
  /** Position in the holder set, from 0. */
  readonly member: number;
  /** Oldest first; refusals are logged like releases. Empty where `error` is there. */
  readonly entries: readonly ReleaseLeaf[];
  /** Signature of the tree head, and that every entry is in that tree and is about this contribution. */
  readonly verdict: Verdict;
  readonly error: WireError | null;
}
type LogAnswer = z.output<typeof zLogAnswer>;

/**
 * Ask every key holder who asked for the key of a contribution, when, for which purpose, and what it answered. Only
 * the owner's wallet can ask. One holder that is away does not hide the others.
 *
 * It proves that each holder stands to what it says. It cannot show a holder that released without writing it down.
 */
export async function releasesOf(context: ClientContext, contributionId: ContributionId): Promise<HolderReleases[]> {
  const { chain, clock, signer } = context;
  const contribution = await chain.contribution(contributionId);
  if (contribution.owner !== signer.address) throw refuse('WRONG_WALLET', { owner: contribution.owner });
  const { chainId } = await chain.info();
  const query = { contributionId, issuedAtMs: clock.nowMs() };
  const digest = taggedDigest(TAGS.logQuery, LogQueryBcs.serialize(query).toBytes());
  const statement = walletStatementBytes({ action: WALLET_ACTIONS.logQuery, chainId, digest });
  const signature = await signer.signPersonalMessage(statement);
  const holderSet = await chain.holderSet(contribution.holderSetId);
  const urls = await locateMembers(context, holderSet);
  return Promise.all(
    holderSet.members.map(async (_, member) => {
      try {
        const url = urls[member] ?? null;
        if (url === null) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: holderName(member) });
        const upstream = holderName(member);
        const body = { ...query, signature };
        const answer = await requestJson({ fetch: context.fetch, url: `${url}/v1/log/query`, upstream, body });
        return await judge(holderSet, member, contributionId, parseAnswer(zLogAnswer, answer, upstream));
      } catch (error) {
        return { member, entries: [], verdict: verdictOf([]), error: toUsufructError(error).toWire() };
      }
    }),
  );
}

async function judge(
  set: HolderSetView,
  member: number,
  contributionId: ContributionId,
  { entries, head }: LogAnswer,
): Promise<HolderReleases> {
  const headBytes = fromBase64(head.treeHead);
  const { treeSize, rootHash, ...named } = parsedBytes(() => TreeHeadBcs.parse(headBytes), member);
  const isSigned = await verify({
    publicKey: fromBase64(set.members[member]!.signingPublicKey),
    domainTag: TAGS.treeHead,
    message: headBytes,
    signature: fromBase64(head.signature),
  });
  const leaves = entries.map(({ leaf }) => parsedBytes(() => ReleaseLeafBcs.parse(fromBase64(leaf)), member));
  const isIncluded = entries.every(({ leaf, leafIndex, inclusionProof }) =>
    verifyInclusion({
      leafHash: leafHash(fromBase64(leaf)),
      leafIndex,
      treeSize,
      proof: inclusionProof.map((hash) => fromBase64(hash)),
      root: fromHex(rootHash),
    }),
  );
  const isMine = leaves.every(
    (leaf) => leaf.contributionId === contributionId && leaf.holderSetId === set.id && leaf.shareIndex === member + 1,
  );
  const checks: Check[] = [
    checkThat('HEAD_SIGNATURE', isSigned, 'the tree head is not signed by the key on the chain'),
    checkThat(
      'HEAD_MEMBER',
      named.holderSetId === set.id && named.member === member,
      'the tree head is of another log',
    ),
    checkThat('INCLUSION', isIncluded, 'an entry is not in the signed tree', `${entries.length} entries`),
    checkThat('ENTRIES', isMine, 'an entry is about something else'),
  ];
  return { member, entries: leaves, verdict: verdictOf(checks), error: null };
}

function parsedBytes<T>(parse: () => T, member: number): T {
  try {
    return parse();
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream: holderName(member) }, cause);
  }
}
