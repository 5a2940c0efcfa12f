import type { ContributionId } from '@usufruct/kernel';
import { toWireJson, type ErasurePart } from '@usufruct/protocol';
import { backupsUntil, NOT_ERASED_WORDS, type Erasure } from '@usufruct/sdk';
import { useState } from 'react';
import { formatTime } from '../../app/format.js';
import type { ActiveAccount } from '../../app/portal.js';
import { useLoaded, useTask } from '../../app/use-task.js';
import { Button } from '../../ui/button.js';
import { Checks } from '../../ui/checks.js';
import { Loading, Notice } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { saveJsonFile } from '../../ui/save-file.js';
import { ERASURE_MEANINGS } from '../verify/check-meanings.js';

interface EraseProps {
  readonly account: ActiveAccount;
  readonly contributionId: ContributionId;
  readonly onErased: () => void;
}

/** Erasure for good, with what it does and what it cannot do said before anything is signed. */
export function Erase({ account, contributionId, onErased }: EraseProps) {
  const { contributions } = account.client;
  const plan = useLoaded(contributionId, () => contributions.planErasure(contributionId));
  const [isSure, setSure] = useState(false);
  const [erasure, setErasure] = useState<Erasure>();
  const erase = useTask(async () => {
    setErasure(await contributions.erase(contributionId));
    onErased();
  });
  if (plan.data === undefined) {
    return plan.error === undefined ? <Loading what="what would be erased" /> : <Refusal error={plan.error} />;
  }
  const { isRetired, holderSet, inReach, blobs, lastEndEpoch, notErased } = plan.data;
  const away = inReach.filter((one) => !one).length;
  return (
    <div className="stack" data-testid="erase">
      <Notice tone="warn">
        <strong>
          {isRetired ? 'It is retired for good. Erasing goes on:' : 'Nothing brings it back. Erasing it:'}
        </strong>
        <ul>
          {!isRetired && <li>your wallet retires it on the chain: from then on nobody releases its key</li>}
          <li>
            {holderSet.members.length} key holders destroy their shares of its key
            {away > 0 && `; ${away} of them do not answer now: come back for those`}
          </li>
          <li>runners drop it from open sessions, before the next answer at the latest</li>
          <li>
            {blobs} encrypted blobs stay in the store until epoch {lastEndEpoch}; nobody can read them any more
          </li>
        </ul>
        <strong>What cannot be undone:</strong>
        <ul>
          {notErased.map((name) => (
            <li key={name}>{NOT_ERASED_WORDS[name]}</li>
          ))}
        </ul>
      </Notice>
      <label className="row">
        <input type="checkbox" checked={isSure} onChange={(event) => setSure(event.target.checked)} />I have read this
      </label>
      <div>
        <Button look="danger" disabled={!isSure} busy={erase.busy} onClick={() => void erase.run()}>
          {isRetired ? 'Go on erasing' : 'Erase for good'}
        </Button>
      </div>
      <Refusal error={erase.error} />
      {erasure !== undefined && <Receipt erasure={erasure} />}
    </div>
  );
}

const backupWords = (part: ErasurePart): string => {
  const untilMs = backupsUntil(part);
  return untilMs === null || untilMs === 0 ? '' : `; in backups that can be opened until ${formatTime(untilMs)}`;
};

function Receipt({ erasure: { receipt, verdict } }: { readonly erasure: Erasure }) {
  const save = () => saveJsonFile(`erasure-${receipt.contributionId.slice(2, 14)}.json`, toWireJson(receipt));
  return (
    <section className="stack tight" aria-label="Erasure receipt" data-testid="erasure" data-ok={verdict.ok}>
      <Notice tone={verdict.ok ? 'good' : 'warn'}>
        <p>
          Retired {formatTime(receipt.tombstonedAtMs)}.{' '}
          {verdict.ok
            ? 'Every key holder signed that its share is destroyed.'
            : 'Not everybody has done their part yet.'}
        </p>
        <ul>
          {receipt.holders.map((part, i) => (
            <li key={part.signingPublicKey} data-state={part.state}>
              Key holder {i + 1}:{' '}
              {part.state === 'done'
                ? `destroyed, signed${backupWords(part)}`
                : `pending (${part.error ?? 'no answer'})`}
            </li>
          ))}
        </ul>
      </Notice>
      <Checks caption="Checks of the erasure receipt" checks={verdict.checks} meanings={ERASURE_MEANINGS} />
      <div>
        <Button small onClick={save}>
          Save the signed receipt
        </Button>
      </div>
    </section>
  );
}
