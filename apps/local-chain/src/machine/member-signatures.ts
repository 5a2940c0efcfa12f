import { verify } from '@usufruct/crypto';
import { fromBase64, refuse } from '@usufruct/kernel';
import type { HolderSetView, StatementSignature, Tag } from '@usufruct/protocol';
import { requireMember } from './holder-set.js';

interface Signed {
  readonly domainTag: Tag;
  readonly message: Uint8Array;
  readonly signatures: readonly StatementSignature[];
  readonly needed: number;
}

/** Different members of the version that is, as many as are needed, none of them retired; every signature must be good. */
export async function requireMemberSignatures(
  set: HolderSetView,
  { domainTag, message, signatures, needed }: Signed,
): Promise<void> {
  if (new Set(signatures.map(({ member }) => member)).size !== signatures.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'signatures', expected: 'one signature a member' });
  }
  if (signatures.length < needed) {
    throw refuse('FORBIDDEN', { role: 'holders of the set', needed: String(needed) });
  }
  for (const { member, signature } of signatures) {
    const { signingPublicKey } = requireMember(set, member, 'signatures.member');
    if (!(await verify({ publicKey: fromBase64(signingPublicKey), domainTag, message, signature }))) {
      throw refuse('SIGNATURE_INVALID', { member: String(member) });
    }
  }
}
