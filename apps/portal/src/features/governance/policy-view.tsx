import { purposeLabel } from '@usufruct/consent';
import type { DaoView } from '@usufruct/protocol';
import { explainChange, explainDataRules, explainGovernance, explainPayoutRules } from '@usufruct/sdk';
import { useState } from 'react';
import { formatTime } from '../../app/format.js';
import { useLoaded } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { Button } from '../../ui/button.js';
import { Id } from '../../ui/id.js';
import { Facts, Loading } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { KIND_WORDS, PROTECTION_WORDS } from '../../ui/status.js';
import { wordsIn } from './words.js';

/** What the DAO allows now, how it decides, and how that came to be. */
export function PolicyView({ account, coin, dao }: Acting & { readonly dao: DaoView }) {
  const { policy } = dao;
  const { contributorsBps, treasuryBps, runnerBps, protocolBps } = policy.split;
  const percents = [contributorsBps, treasuryBps, runnerBps, protocolBps].map((bps) => `${bps / 100} %`);
  return (
    <details>
      <summary>Policy, version {dao.policyVersion}</summary>
      <div className="stack tight">
        <Facts
          entries={[
            ['Purposes', policy.purposes.map(purposeLabel).join(', ')],
            ['Contributors, treasury, runner, protocol', percents.join(', ')],
            ['Computation', policy.kinds.map((kind) => KIND_WORDS[kind]).join(', ')],
            ['Protected by', policy.protections.map((kind) => PROTECTION_WORDS[kind]).join(' or ')],
            ['Approved code', policy.appraisal.measurements.map((m) => <Id key={m} value={m} what="measurement" />)],
            ['Key holders', <Id value={policy.holderSetId} what="holder set id" />],
            ['Verifiers needed', String(policy.verifierThreshold)],
            ['Data in use and stored', explainDataRules(policy).join(' ')],
            ['How it decides', explainGovernance(dao.governance).join(' ')],
            ['How contributors are paid', explainPayoutRules(dao.payoutRules).join(' ')],
          ]}
        />
        <PolicyHistory account={account} coin={coin} dao={dao} />
      </div>
    </details>
  );
}

/** Every version, newest first. Reads all events, so only when it is asked for. */
function PolicyHistory({ account, coin, dao }: Acting & { readonly dao: DaoView }) {
  const [open, setOpen] = useState(false);
  const history = useLoaded(open ? `${dao.id} ${dao.policyVersion}` : null, () =>
    account.client.daos.policyVersions(dao.id),
  );
  if (!open) {
    return (
      <div>
        <Button small onClick={() => setOpen(true)}>
          How did it change?
        </Button>
      </div>
    );
  }
  const versions = history.data?.toReversed() ?? [];
  return (
    <>
      <Refusal error={history.error} onRetry={history.reload} />
      {history.loading && <Loading what="the history" />}
      <ul className="list" aria-label="Versions of the policy">
        {versions.map(({ version, by, atMs, changes }) => (
          <li className="item" key={version} data-version={version}>
            <p>
              <span className="item-title">Version {version}</span>, {formatTime(atMs)},{' '}
              {version === 1 ? 'founded' : 'set'} by <Id value={by} what="address" />
            </p>
            {changes.map((change) => (
              <p className="hint" key={change.field}>
                {explainChange(change, wordsIn(coin))}
              </p>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}
