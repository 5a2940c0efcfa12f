import type { DaoId } from '@usufruct/kernel';
import type { SignerView } from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { allEvents } from './history.js';

/** Who signs receipts of a DAO without being a runner, withdrawn ones included, in order of registration. */
export async function listSigners(context: ClientContext, daoId: DaoId): Promise<SignerView[]> {
  const known = new Map<SignerView['id'], SignerView>();
  for await (const { data } of allEvents(context)) {
    if (data.type === 'SignerRegistered' && data.signer.daoId === daoId) known.set(data.signer.id, data.signer);
    if (data.type === 'SignerWithdrawn' && data.daoId === daoId) {
      const signer = known.get(data.signerId);
      if (signer !== undefined) known.set(data.signerId, { ...signer, withdrawnAtMs: data.withdrawnAtMs });
    }
  }
  return [...known.values()];
}
