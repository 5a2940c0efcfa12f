import type { Membership } from '@usufruct/sdk';
import { useState, type FormEvent } from 'react';
import { shortId } from '../../app/format.js';
import { useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { titleOf, type DaoCard } from '../../data/catalogue.js';
import { Button } from '../../ui/button.js';
import { LongTextField } from '../../ui/field.js';
import { Chip, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';

interface OtherDaosProps extends Acting {
  readonly daos: readonly { readonly dao: DaoCard; readonly membership: Membership }[];
  readonly onChanged: () => void;
}

/** DAOs of which this account is no member: it can ask to become one. */
export function OtherDaos({ account, coin, daos, onChanged }: OtherDaosProps) {
  return (
    <Panel
      title="Other DAOs"
      lead="Members propose and vote. Whoever contributes data that a DAO accepts is a member; others can ask."
    >
      <ul className="list">
        {daos.map(({ dao, membership }) => (
          <OtherDao
            key={dao.daoId}
            account={account}
            coin={coin}
            dao={dao}
            hasApplied={membership.state === 'applied'}
            onChanged={onChanged}
          />
        ))}
      </ul>
    </Panel>
  );
}

interface OtherDaoProps extends Acting {
  readonly dao: DaoCard;
  readonly hasApplied: boolean;
  readonly onChanged: () => void;
}

function OtherDao({ account, dao, hasApplied, onChanged }: OtherDaoProps) {
  const [applying, setApplying] = useState(false);
  const [statement, setStatement] = useState('');
  const apply = useTask(async () => {
    await account.client.members.apply(dao.daoId, statement.trim());
    setApplying(false);
    onChanged();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void apply.run();
  };
  return (
    <li className="item" data-dao={dao.daoId}>
      <div className="row apart">
        <span className="item-title">{titleOf(dao, shortId(dao.daoId))}</span>
        {hasApplied && <Chip tone="warn">a steward decides</Chip>}
        {!hasApplied && !applying && (
          <Button small onClick={() => setApplying(true)}>
            Ask to become a member
          </Button>
        )}
      </div>
      {applying && (
        <form className="stack tight" onSubmit={submit} aria-label="Application">
          <LongTextField
            label="What you tell the DAO"
            hint="Only the digest goes to the chain: give the stewards the words too."
            maxLength={2_000}
            value={statement}
            onText={setStatement}
          />
          <div>
            <Button type="submit" small look="primary" busy={apply.busy}>
              Ask
            </Button>
          </div>
        </form>
      )}
      <Refusal error={apply.error} />
    </li>
  );
}
