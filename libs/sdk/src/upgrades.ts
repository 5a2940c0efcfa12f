import { refuse } from '@usufruct/kernel';
import { NO_UPGRADES, withUpgradeEvent, type UpgradeHistory } from '@usufruct/protocol';
import type { ClientContext } from './context.js';
import { allEvents } from './governance/history.js';

/**
 * Who may change the contracts and which changes were announced, from the client's own view of the chain; it reads
 * every event there is. It does not say what the announced code does: compile it and compare the digest.
 *
 * Refuses `INVALID_ARGUMENT` on the local ledger, which has no contracts that could be upgraded.
 */
export async function upgradesOf(context: Pick<ClientContext, 'chain'>): Promise<UpgradeHistory> {
  if ((await context.chain.info()).standIn) {
    throw refuse('INVALID_ARGUMENT', {
      field: 'network',
      expected: 'a Sui network; the local ledger has no contracts',
    });
  }
  let history = NO_UPGRADES;
  for await (const event of allEvents(context)) history = withUpgradeEvent(history, event);
  return history;
}
