import { verify, verifyWalletSignature } from '@usufruct/crypto';
import {
  checkThat,
  equalBytes,
  failed,
  fromBase64,
  passed,
  skipped,
  verdictOf,
  type Check,
  type Verdict,
} from '@usufruct/kernel';
import {
  erasureReceiptDigest,
  erasureRemains,
  ErasureStatementBcs,
  LIMITS,
  RunnerErasureBcs,
  TAGS,
  toWireJson,
  WALLET_ACTIONS,
  walletStatementBytes,
  type ContributionView,
  type ErasurePart,
  type ErasureReceipt,
  type HolderSetView,
} from '@usufruct/protocol';

/** Every check, in the order in which it is made. */
export const ERASURE_CHECKS = [
  'SIGNED_PARTS',
  'WHOLE',
  'REMAINS',
  'DISTINCT',
  'UNREADABLE',
  'SHARES',
  'COMPLETE',
  'RETIRED',
  'HOLDERS',
] as const;

/** What the chain says, for whoever has a view of it. */
export interface ErasureOnChain {
  readonly chainId: string;
  readonly contribution: ContributionView;
  readonly holderSet: HolderSetView;
}

/** What each part is about; the same in all of them. */
export type ErasureSubject = Pick<
  ErasureReceipt,
  'chainId' | 'packageId' | 'contributionId' | 'datasetId' | 'holderSetId' | 'tombstonedAtMs'
>;

/**
 * Judge an erasure receipt: every part is signed by the key beside it and says exactly this; the whole is signed by whoever
 * collected it, so that none was dropped or swapped since; and so many holders have destroyed their shares, which they did
 * have, that the rest cannot open it. Without a view of the chain it is as good as
 * the keys in it: that they are the holders' is then skipped, not passed.
 *
 * It does not prove that nobody kept a copy: see `notErased` in the receipt.
 */
export async function judgeErasure(receipt: ErasureReceipt, onChain: ErasureOnChain | null): Promise<Verdict> {
  const { holders, otherHolders, runners, threshold } = receipt;
  const flaws = [
    ...(await flawsOf('key holder', holders, (part) => isHolders(receipt, part))),
    ...(await flawsOf('other key holder', otherHolders, (part) => isHolders(receipt, part))),
    ...(await flawsOf('runner', runners, (part) => isRunners(receipt, part))),
  ];
  const keys = [...holders, ...otherHolders].map(({ signingPublicKey }) => signingPublicKey);
  const done = holders.filter(({ state }) => state === 'done').length;
  const missing = holders.flatMap(({ state }, i) => (state === 'done' ? [] : [`key holder ${i + 1}`]));
  const left = holders.length - done;
  return verdictOf([
    checkThat('SIGNED_PARTS', flaws.length === 0, flaws.join('; '), `${done} key holders`),
    await wholeCheck(receipt),
    checkThat(
      'REMAINS',
      toWireJson(receipt.remains) === toWireJson(erasureRemains(receipt)),
      'what remains to be done is not what its parts say',
    ),
    checkThat('DISTINCT', new Set(keys).size === keys.length, 'one key holder is listed twice'),
    checkThat('UNREADABLE', left < threshold, `${left} key holders may have a share still, and ${threshold} open it`),
    checkThat(
      'SHARES',
      holders.filter(hadShares).length + left >= threshold,
      `fewer than ${threshold} key holders had a share: its key is with others (Seal), or they had lost theirs before`,
    ),
    checkThat(
      'COMPLETE',
      missing.length === 0,
      `missing: ${missing.join(', ')}, who still have to destroy their shares: erase it again when they are back`,
    ),
    ...chainChecks(receipt, onChain),
  ]);
}

/** Whose word the whole is; anybody may collect one, and the chain says whether it was the owner. */
async function wholeCheck(receipt: ErasureReceipt): Promise<Check> {
  const { chainId, collectedBy: address, owner, signature } = receipt;
  const name = 'WHOLE';
  try {
    const digest = erasureReceiptDigest(receipt);
    const message = walletStatementBytes({ action: WALLET_ACTIONS.erasureReceipt, chainId, digest });
    await verifyWalletSignature({ address, message, signature });
    return passed(name, address === owner ? 'signed by the owner' : `signed by ${address}, who is not the owner`);
  } catch {
    return failed(name, 'its collector did not sign these parts together: one was changed, added or left out');
  }
}

function chainChecks(receipt: ErasureReceipt, onChain: ErasureOnChain | null): Check[] {
  const names = ['RETIRED', 'HOLDERS'] as const;
  if (onChain === null) return names.map((name) => skipped(name, 'not compared with the chain'));
  const { chainId, contribution, holderSet } = onChain;
  const isRetired =
    receipt.chainId === chainId &&
    receipt.contributionId === contribution.id &&
    receipt.datasetId === contribution.datasetId &&
    receipt.owner === contribution.owner &&
    receipt.tombstonedAtMs === contribution.tombstonedAtMs;
  const { members, threshold } = holderSet;
  const areHolders =
    receipt.holderSetId === holderSet.id &&
    receipt.holderSetId === contribution.holderSetId &&
    receipt.threshold === threshold &&
    receipt.holders.length === members.length &&
    members.every(({ signingPublicKey }, i) => receipt.holders[i]!.signingPublicKey === signingPublicKey);
  return [
    checkThat(names[0], isRetired, 'the chain does not say that this contribution was retired then'),
    checkThat(names[1], areHolders, "these are not all of the chain's key holders of it"),
  ];
}

async function flawsOf(
  who: string,
  parts: readonly ErasurePart[],
  isGood: (part: ErasurePart) => Promise<boolean>,
): Promise<string[]> {
  const flaws: string[] = [];
  for (const [i, part] of parts.entries()) {
    const isMissing = part.state === 'missing' && part.signed === null;
    if (!isMissing && !(await isGood(part))) flaws.push(`${who} ${i + 1} did not sign this`);
  }
  return flaws;
}

/** Whether a statement names shares that were destroyed, and not that there was none. */
function hadShares({ signed }: ErasurePart): boolean {
  if (signed === null) return false;
  const statement = parsed(() => ErasureStatementBcs.parse(fromBase64(signed.statement)));
  return statement !== null && statement.manifestDigests.length > 0;
}

/** Whether this key holder signed that it destroyed its shares of this very contribution, after it was retired. */
export async function isHolders(about: ErasureSubject, part: ErasurePart): Promise<boolean> {
  const message = await signedBytes(part, TAGS.erasureStatement);
  if (message === null) return false;
  const statement = parsed(() => ErasureStatementBcs.parse(message));
  return (
    statement !== null &&
    isAbout(about, statement) &&
    statement.datasetId === about.datasetId &&
    statement.holderSetId === about.holderSetId &&
    equalBytes(statement.holderSigningKey, fromBase64(part.signingPublicKey)) &&
    statement.destroyedAtMs + LIMITS.clockSkewMs >= about.tombstonedAtMs
  );
}

/** Whether this runner signed that nothing of it is in its memory; who the runner is, the chain's registry says. */
export async function isRunners(about: ErasureSubject, part: ErasurePart): Promise<boolean> {
  const message = await signedBytes(part, TAGS.runnerErasure);
  if (message === null) return false;
  const statement = parsed(() => RunnerErasureBcs.parse(message));
  return (
    statement !== null &&
    isAbout(about, statement) &&
    equalBytes(statement.runnerSigningKey, fromBase64(part.signingPublicKey)) &&
    statement.droppedAtMs + LIMITS.clockSkewMs >= about.tombstonedAtMs
  );
}

const isAbout = (
  about: ErasureSubject,
  statement: Pick<ErasureSubject, 'chainId' | 'packageId' | 'contributionId' | 'tombstonedAtMs'>,
): boolean =>
  statement.chainId === about.chainId &&
  statement.packageId === about.packageId &&
  statement.contributionId === about.contributionId &&
  statement.tombstonedAtMs === about.tombstonedAtMs;

async function signedBytes({ signed, signingPublicKey }: ErasurePart, domainTag: string): Promise<Uint8Array | null> {
  if (signed === null) return null;
  const message = fromBase64(signed.statement);
  const signature = fromBase64(signed.signature);
  return (await verify({ publicKey: fromBase64(signingPublicKey), domainTag, message, signature })) ? message : null;
}

function parsed<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    return null;
  }
}
