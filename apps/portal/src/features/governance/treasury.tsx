import type { DaoView } from '@usufruct/protocol';
import { formatAmount, formatTime } from '../../app/format.js';
import { useLoaded } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { Id } from '../../ui/id.js';
import { Empty } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';

/** What the members voted to spend. Read when it is opened: it looks at every event. */
export function TreasurySpending({ account, coin, dao, balanceUnits }: TreasuryProps) {
  const treasury = useLoaded(`${dao.id} ${balanceUnits}`, () => account.client.daos.treasury(dao.id));
  return (
    <section className="stack tight" aria-label="Treasury">
      <p className="hint">
        {formatAmount(balanceUnits, coin)} lie at <Id value={dao.treasury} what="address of the treasury" />. No key
        exists for it: only a vote spends from it.
      </p>
      <Refusal error={treasury.error} onRetry={treasury.reload} />
      {treasury.data?.spending.length === 0 && <Empty>Nothing was spent yet.</Empty>}
      <ul className="list">
        {treasury.data?.spending.map(({ to, amountUnits, atMs, transaction }) => (
          <li className="item" key={transaction}>
            <div className="row apart">
              <span>
                {formatTime(atMs)} to <Id value={to} what="address" />
              </span>
              <span className="number">−{formatAmount(amountUnits, coin)}</span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface TreasuryProps extends Acting {
  readonly dao: DaoView;
  readonly balanceUnits: bigint;
}
