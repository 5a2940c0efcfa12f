import { fromBase64, refuse, toBase64 } from '@usufruct/kernel';
import {
  encodeManifest,
  manifestDigest,
  WALLET_ACTIONS,
  walletStatementBytes,
  type ManifestKeys,
  type ManifestPart,
  type SignedManifest,
} from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { readRecord, writeRecord } from '../journal.js';
import type { ContributionKey } from './key.js';
import { zSigned, type ContributionRecords, type Plan } from './records.js';

/** What the wallet signs, asked of it once. */
export async function signedManifest(
  context: ClientContext,
  records: ContributionRecords,
  plan: Plan,
  key: ContributionKey,
  parts: readonly ManifestPart[],
): Promise<SignedManifest> {
  const stored = await readRecord(context.journal, records.manifest, zSigned);
  if (stored !== null) return { manifest: fromBase64(stored.manifest), signature: stored.signature };
  const { version, chainId, datasetId, contributionId, owner, salt, holderSetId, policyDigest, createdAtMs } = plan;
  const named = { version, chainId, datasetId, contributionId, owner, salt, holderSetId, policyDigest, createdAtMs };
  const keys = await manifestKeys(context, plan, key);
  const manifest = encodeManifest({ ...named, keys, parts, keyCommitment: key.keyCommitment });
  const statement = { action: WALLET_ACTIONS.manifest, chainId: plan.chainId, digest: manifestDigest(manifest) };
  const signature = await context.signer.signPersonalMessage(walletStatementBytes(statement));
  await writeRecord(context.journal, records.manifest, { manifest: toBase64(manifest), signature });
  return { manifest, signature };
}

/** With Seal the dealt shares go nowhere: the secret that they would combine to is encrypted whole. */
async function manifestKeys(
  { secretSealer }: ClientContext,
  { keyMode, threshold, holderCount, contributionId }: Plan,
  { deal }: ContributionKey,
): Promise<ManifestKeys> {
  if (keyMode === 'holders') return { kind: 'holders', threshold, holderCount, commitments: deal.commitments };
  if (secretSealer === undefined) throw refuse('KEY_MODE_UNAVAILABLE', { mode: keyMode });
  return secretSealer.seal(contributionId, deal.secret);
}
