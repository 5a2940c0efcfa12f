import { requestGraphql } from '@usufruct/sdk';
import { NEWEST_UPGRADE, upgradeWords } from '../data/upgrades.js';
import { formatTime } from './format.js';
import { usePortal } from './portal.js';
import { useLoaded } from './use-task.js';

/**
 * Whoever gave data must learn in time that the rules for its keys are about to change, signed in or not. It is the
 * API's word; the chain itself is read by `usufruct chain upgrades`. The local ledger has no contracts.
 */
export function UpgradeBanner() {
  const { config } = usePortal();
  const { data, error } = useLoaded(config.suiNetwork === 'local' ? null : 'upgrade', () => {
    const fetch = globalThis.fetch.bind(globalThis);
    return requestGraphql({ fetch, apiUrl: config.apiUrl, operation: NEWEST_UPGRADE, variables: {} });
  });
  const newest = data?.packageUpgrades.edges[0]?.node;
  const words = newest === undefined ? null : upgradeWords(newest, formatTime);
  if (error === undefined && words === null) return null;
  return (
    <div className="banner" role="note" data-testid="upgrade">
      <strong>{words === null ? 'Not known:' : 'The contracts are about to change.'}</strong>{' '}
      {words ??
        'whether the contracts are about to change could not be read. usufruct chain upgrades asks the chain itself.'}
    </div>
  );
}
