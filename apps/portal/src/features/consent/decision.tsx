import { askablePurposes, explainRefusal } from '@usufruct/consent';
import type { ContributionId } from '@usufruct/kernel';
import { useState } from 'react';
import { formatAmount, formatTime, type Coin } from '../../app/format.js';
import { useLoaded } from '../../app/use-task.js';
import type { PortalClient } from '../../app/client.js';
import type { DaoCard } from '../../data/catalogue.js';
import { Field } from '../../ui/field.js';
import { Notice } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';

interface DecisionProps {
  readonly client: PortalClient;
  readonly contributionId: ContributionId;
  readonly dao: DaoCard;
  readonly coin: Coin;
  /** Changes with the grants, so that the answer does too. */
  readonly asOf: string;
}

/** The decision that every key holder makes, made here on the chain as it is now, and said in words. */
export function Decision({ client, contributionId, dao, coin, asOf }: DecisionProps) {
  const { policy } = dao;
  const [purpose, setPurpose] = useState(policy.purposes[0] ?? '');
  const decision = useLoaded(`${contributionId} ${purpose} ${asOf}`, () =>
    client.grants.explain(contributionId, { purpose, kind: 'rag', protection: 'tee' }),
  );
  const write = { amount: (units: bigint) => formatAmount(units, coin), time: formatTime };
  return (
    <div className="stack tight">
      <Field label="Would a question for this purpose get it now?">
        {(props) => (
          <select {...props} value={purpose} onChange={(event) => setPurpose(event.target.value)}>
            {askablePurposes(policy.purposes).map(({ code, label }) => (
              <option key={code} value={code}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Refusal error={decision.error} onRetry={decision.reload} />
      {decision.data !== undefined && (
        <Notice tone={decision.data.allowed ? 'good' : 'neutral'}>
          <p data-testid="decision" data-code={decision.data.refusal?.code ?? 'ALLOWED'}>
            {decision.data.refusal === null
              ? `Yes, for ${formatAmount(policy.pricePerQuestionUnits, coin)}, the price that the DAO asks now.`
              : `No. ${explainRefusal(decision.data.refusal, write)}`}
          </p>
        </Notice>
      )}
    </div>
  );
}
