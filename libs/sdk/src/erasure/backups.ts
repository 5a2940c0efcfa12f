import { fromBase64, type TimestampMs } from '@usufruct/kernel';
import { ErasureStatementBcs, type ErasurePart } from '@usufruct/protocol';

/**
 * Until when a backup of this key holder can be opened that may have the destroyed share in it, by its own word; 0 where
 * it says that there is none, null where it has not signed yet. As good as the signature, which `judgeErasure` checks;
 * that the private key is destroyed then, only the holder's operator can see to.
 */
export function backupsUntil({ signed }: ErasurePart): TimestampMs | null {
  if (signed === null) return null;
  try {
    return ErasureStatementBcs.parse(fromBase64(signed.statement)).backupsUntilMs;
  } catch {
    return null; // no statement; the verdict says so
  }
}
