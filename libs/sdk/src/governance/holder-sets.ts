import { deriveSessionKey, sign, signingPublicKey, verify } from '@usufruct/crypto';
import { equalBytes, fromBase64, refuse, toBase64, type HolderSetId } from '@usufruct/kernel';
import {
  HolderRotationBcs,
  parseAt,
  TAGS,
  zBase64,
  type HolderMember,
  type HolderRotation,
  type HolderSetView,
  type StatementSignature,
} from '@usufruct/protocol';
import { z } from 'zod';
import { actOnce } from '../act.js';
import type { ClientContext } from '../context.js';
import { readIdentity } from '../holders.js';
import { allEvents } from './history.js';

export interface HolderSetVersion {
  readonly version: number;
  readonly threshold: number;
  readonly members: HolderSetView['members'];
  readonly atMs: number;
}

/** Every version that a set has had, oldest first. The current view is the chain's `holderSet`. */
export async function holderSetVersions(context: ClientContext, holderSetId: HolderSetId): Promise<HolderSetVersion[]> {
  const versions: HolderSetVersion[] = [];
  for await (const { data, atMs } of allEvents(context)) {
    if (data.type === 'HolderSetCreated' && data.holderSet.id === holderSetId) {
      const { version, threshold, members } = data.holderSet;
      versions.push({ version, threshold, members, atMs });
    }
    if (data.type === 'HolderSetRotated' && data.holderSetId === holderSetId) {
      const { version, threshold, members } = data;
      versions.push({ version, threshold, members, atMs });
    }
  }
  return versions;
}

const MOST_ROTATION_BYTES = 8 * 1024;
/** What holders pass around until enough of them have signed. Nothing in it is secret. */
export const zRotationDraft = z.object({
  rotation: zBase64(MOST_ROTATION_BYTES),
  signatures: z.array(z.object({ member: z.int().min(0).max(255), signature: zBase64(64) })).max(32),
});
export type RotationDraft = z.output<typeof zRotationDraft>;

/** The next version of a set, for its members to sign. Refuses `INVALID_ARGUMENT` for a threshold over its size. */
export async function draftRotation(
  context: ClientContext,
  holderSetId: HolderSetId,
  members: readonly HolderMember[],
  threshold: number,
): Promise<RotationDraft> {
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > members.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'threshold', expected: `an integer from 1 to ${members.length}` });
  }
  const { chainId } = await context.chain.info();
  const { version } = await context.chain.holderSet(holderSetId);
  const rotation = { chainId, holderSetId, version: version + 1, members: [...members], threshold };
  return { rotation: toBase64(HolderRotationBcs.serialize(rotation).toBytes()), signatures: [] };
}

/** What a draft says, so that a person can look at it before signing. Refuses `INVALID_ARGUMENT` for other bytes. */
export function readRotation(draft: RotationDraft): HolderRotation {
  const { rotation } = parseAt(zRotationDraft, draft, 'rotation');
  const bytes = fromBase64(rotation);
  try {
    const parsed = HolderRotationBcs.parse(bytes);
    if (equalBytes(HolderRotationBcs.serialize(parsed).toBytes(), bytes)) return parsed;
  } catch (cause) {
    throw refuse('INVALID_ARGUMENT', { field: 'rotation', expected: 'a holder rotation' }, cause);
  }
  throw refuse('INVALID_ARGUMENT', { field: 'rotation', expected: 'canonical bytes' });
}

/** What the key holders at these addresses show of themselves, to be members of a set. */
export async function membersAt(context: ClientContext, urls: readonly string[]): Promise<HolderMember[]> {
  const known = await Promise.all(urls.map((url) => readIdentity(context, url.replace(/\/+$/, ''))));
  return known.map(({ identity }) => ({
    operator: identity.operator,
    signingPublicKey: fromBase64(identity.signingPublicKey),
    sealingPublicKey: fromBase64(identity.sealingPublicKey),
  }));
}

/** A key holder's signing key, from the one secret that all of its keys follow from (32 bytes). */
export const holderSigningKey = (secret: Uint8Array): Uint8Array =>
  deriveSessionKey({ domainTag: TAGS.holderSigning, secret, context: new Uint8Array() });

/** The key of its chain account, from the same secret. */
export const holderOperatorKey = (secret: Uint8Array): Uint8Array =>
  deriveSessionKey({ domainTag: TAGS.holderOperator, secret, context: new Uint8Array() });

/** Which member of the set this signing key makes its holder; refuses `FORBIDDEN` where it is none. */
export function memberOf({ members }: HolderSetView, publicKey: Uint8Array): number {
  const member = members.findIndex(({ signingPublicKey: key }) => equalBytes(fromBase64(key), publicKey));
  if (member < 0) throw refuse('FORBIDDEN', { role: 'member of the holder set' });
  return member;
}

/** Add a holder's signature to a draft, by its Ed25519 signing key (32 bytes). Signing twice changes nothing. */
export async function signRotation(
  context: ClientContext,
  draft: RotationDraft,
  secretKey: Uint8Array,
): Promise<RotationDraft> {
  const { holderSetId } = await requireNext(context, draft);
  const member = memberOf(await context.chain.holderSet(holderSetId), signingPublicKey(secretKey));
  const message = fromBase64(draft.rotation);
  const signature = toBase64(await sign({ secretKey, domainTag: TAGS.holderRotation, message }));
  const others = draft.signatures.filter((each) => each.member !== member);
  return { ...draft, signatures: [...others, { member, signature }].sort((a, b) => a.member - b.member) };
}

/**
 * Make the next version of a set, by anyone, with the signatures of enough members of the version that is. They are
 * checked here first. Refuses `SIGNATURE_INVALID` naming the member, `INVALID_ARGUMENT` where there are too few, and
 * `POLICY_OUTDATED` for a draft that does not follow the current version.
 */
export async function rotateHolderSet(context: ClientContext, draft: RotationDraft): Promise<HolderSetView> {
  const { chain } = context;
  const rotation = fromBase64(draft.rotation);
  const { holderSetId, version } = readRotation(draft);
  const set = await chain.holderSet(holderSetId);
  if (set.version >= version && (await isVersion(context, holderSetId, draft))) return set;
  await requireNext(context, draft);
  const signatures = await validSignatures(set, draft);
  return actOnce({
    context,
    key: `rotate/${holderSetId}/${version}`,
    action: { kind: 'rotateHolderSet', rotation, signatures },
    read: () => chain.holderSet(holderSetId),
    isDone: (view) => view.version >= version,
  });
}

/** Retire a member for good, by its operator: its keys were destroyed and never count again. */
export async function tombstoneHolder(
  context: ClientContext,
  holderSetId: HolderSetId,
  signingKey: string,
): Promise<HolderSetView> {
  const set = await context.chain.holderSet(holderSetId);
  if (set.tombstonedKeys.includes(signingKey)) return set;
  const member = memberOf(set, fromBase64(signingKey));
  return actOnce({
    context,
    key: `tombstone-holder/${holderSetId}/${signingKey}`,
    action: { kind: 'tombstoneHolder', holderSetId, member },
    read: () => context.chain.holderSet(holderSetId),
    isDone: ({ tombstonedKeys }) => tombstonedKeys.includes(signingKey),
  });
}

/** Whether the set is, or was, exactly what the draft makes it. */
async function isVersion(context: ClientContext, id: HolderSetId, draft: RotationDraft): Promise<boolean> {
  const { version, threshold, members } = readRotation(draft);
  const made = (await holderSetVersions(context, id)).find((each) => each.version === version);
  const keys = members.map((member) => toBase64(member.signingPublicKey)).join();
  return made?.threshold === threshold && made.members.map((member) => member.signingPublicKey).join() === keys;
}

async function requireNext(context: ClientContext, draft: RotationDraft): Promise<HolderRotation> {
  const rotation = readRotation(draft);
  const { chainId } = await context.chain.info();
  if (rotation.chainId !== chainId) throw refuse('INVALID_ARGUMENT', { field: 'chainId', expected: chainId });
  const { version } = await context.chain.holderSet(rotation.holderSetId);
  if (rotation.version !== version + 1)
    throw refuse('POLICY_OUTDATED', { object: 'holder set', current: `${version}` });
  return rotation;
}

async function validSignatures(set: HolderSetView, draft: RotationDraft): Promise<StatementSignature[]> {
  const message = fromBase64(draft.rotation);
  const valid: StatementSignature[] = [];
  for (const { member, signature } of draft.signatures) {
    const key = set.members[member]?.signingPublicKey ?? '';
    const bytes = fromBase64(signature);
    const publicKey = fromBase64(key);
    const isValid =
      !set.tombstonedKeys.includes(key) &&
      !valid.some((each) => each.member === member) &&
      (await verify({ publicKey, domainTag: TAGS.holderRotation, message, signature: bytes }));
    if (!isValid) throw refuse('SIGNATURE_INVALID', { member: String(member) });
    valid.push({ member, signature: bytes });
  }
  if (valid.length < set.threshold) {
    throw refuse('INVALID_ARGUMENT', { field: 'signatures', expected: `at least ${set.threshold}` });
  }
  return valid;
}
