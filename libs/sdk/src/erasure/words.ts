import type { ErasureReceipt, NotErased } from '@usufruct/protocol';

/** What erasure cannot undo, in words for the person whose data it was. */
export const NOT_ERASED_WORDS: Readonly<Record<NotErased, string>> = {
  released_answers: 'answers that were given already, with what they quote, stay with whoever asked',
  trained_weights: 'models that were trained on it keep what they learned',
  colluding_holders: 'enough key holders that conspired before could have copied their shares, which nothing shows',
  removed_holders: 'key holders that left the set before keep what they did not destroy themselves',
  backups:
    "key holders' backups keep an encrypted share until the private key of the backup is destroyed, at the time that each of them signs; a holder that is restored from one does not release it",
  ciphertext: 'the encrypted file lies in the store, unreadable, until its lease ends',
  key_servers:
    "where its key was put under Seal's key servers, they hold nothing to destroy and can derive it for ever: only the chain's tombstone has them refuse",
  public_record: 'the chain keeps its public record: ids, hashes, grants and payments, no content',
};

/** What remains to be done, for the same person. */
export function erasureRemainsWords({ remains, holders }: Pick<ErasureReceipt, 'remains' | 'holders'>): string[] {
  return remains.map(({ what, signingPublicKey, endEpoch }) => {
    const member = holders.findIndex((holder) => holder.signingPublicKey === signingPublicKey) + 1;
    switch (what) {
      case 'holder_share':
        return `key holder ${member} has not said that it destroyed its share: erase it again when it is back`;
      case 'other_holder_share':
        return `a key holder outside the set (${signingPublicKey}) has not answered: erase it again when it is back`;
      case 'runner_sessions':
        return 'a runner that has not answered drops it before its next answer, or with its session, in ten minutes at most';
      case 'ciphertext_lease':
        return `the encrypted file, which nobody can open then, lies in the store until Walrus epoch ${endEpoch}`;
    }
  });
}
