import { purposeLabel, PURPOSES } from '@usufruct/consent';
import type { DatasetId } from '@usufruct/kernel';
import type { Revocation, RevocationPlan } from '@usufruct/sdk';
import { useState } from 'react';
import { counted, shortId } from '../../app/format.js';
import type { ActiveAccount } from '../../app/portal.js';
import { useTask } from '../../app/use-task.js';
import { Button } from '../../ui/button.js';
import { Field } from '../../ui/field.js';
import { Notice, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';

interface StopUsesProps {
  readonly account: ActiveAccount;
  readonly datasets: readonly { readonly datasetId: DatasetId; readonly title: string }[];
  readonly names: ReadonlyMap<string, string>;
  readonly onChanged: () => void;
}

/** One purpose, one dataset, or everything: what will be signed is shown first. */
export function StopUses({ account, datasets, names, onChanged }: StopUsesProps) {
  const [datasetId, setDatasetId] = useState('');
  const [purpose, setPurpose] = useState('');
  const [plan, setPlan] = useState<RevocationPlan>();
  const [done, setDone] = useState<Revocation>();
  const { grants } = account.client;
  const look = useTask(async () => {
    setDone(undefined);
    setPlan(
      await grants.planRevocation({
        ...(datasetId !== '' && { datasetId: datasetId as DatasetId }),
        ...(purpose !== '' && { purpose }),
      }),
    );
  });
  const sign = useTask(async () => {
    if (plan === undefined) return;
    setDone(await grants.revokeByPlan(plan));
    setPlan(undefined);
    onChanged();
  });
  const choose = (set: (value: string) => void) => (value: string) => {
    set(value);
    setPlan(undefined);
  };
  return (
    <Panel
      title="Stop uses"
      lead="Of one purpose, one dataset, or everything at once. It stops the next release of a key; what was used already cannot be recalled."
    >
      <Choice label="Which purpose" value={purpose} onValue={choose(setPurpose)} all="Every purpose">
        {PURPOSES.map(({ code, label }) => [code, label])}
      </Choice>
      <Choice label="Of what" value={datasetId} onValue={choose(setDatasetId)} all="All that you contributed">
        {datasets.map(({ datasetId: id, title }) => [id, title])}
      </Choice>
      <div>
        <Button busy={look.busy} onClick={() => void look.run()}>
          Show what this changes
        </Button>
      </div>
      <Refusal error={look.error ?? sign.error} />
      {plan !== undefined && <Plan plan={plan} names={names} />}
      {plan !== undefined && plan.steps.length > 0 && (
        <div>
          <Button look="danger" busy={sign.busy} onClick={() => void sign.run()}>
            Sign and stop
          </Button>
        </div>
      )}
      {done !== undefined && (
        <Notice tone="good">
          <p>
            {counted(done.revoked.length + done.skipped.length, 'grant')} ended,{' '}
            {counted(done.given.length, 'narrower one')} took their place.
          </p>
        </Notice>
      )}
    </Panel>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly all: string;
  readonly onValue: (value: string) => void;
  readonly children: readonly (readonly [string, string])[];
}

function Choice({ label, value, all, onValue, children }: ChoiceProps) {
  return (
    <Field label={label}>
      {(props) => (
        <select {...props} value={value} onChange={(event) => onValue(event.target.value)}>
          <option value="">{all}</option>
          {children.map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Plan({ plan, names }: { readonly plan: RevocationPlan; readonly names: StopUsesProps['names'] }) {
  if (plan.steps.length === 0) return <Notice>Nothing of this is allowed now. There is nothing to sign.</Notice>;
  return (
    <Notice>
      <strong>
        You are about to sign {plan.transactions === 1 ? 'one transaction' : `${plan.transactions} transactions`}:
      </strong>
      {plan.steps.map(({ grantId, contributionId, before, after }) => (
        <p key={grantId} data-grant={grantId}>
          {names.get(contributionId) ?? shortId(contributionId)}: {before.purposes.map(purposeLabel).join(', ')} ends.
          {after !== null && ` In its place, at the same moment: ${after.purposes.map(purposeLabel).join(', ')}.`}
        </p>
      ))}
    </Notice>
  );
}
