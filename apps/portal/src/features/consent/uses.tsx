import type { Activity } from '@usufruct/sdk';
import { formatAmount, formatTime, type Coin } from '../../app/format.js';
import { Id } from '../../ui/id.js';
import { Empty, Notice } from '../../ui/layout.js';

/** What the chain says was used and paid, beside what the key holders say they released. */
export function Uses({ activity, coin }: { readonly activity: Activity; readonly coin: Coin }) {
  const { uses, paidUnits, privatePayouts, privatePayoutsError, untrusted } = activity;
  return (
    <section className="stack tight" aria-label="Uses and payments" data-testid="uses">
      <h3>Uses and payments</h3>
      {untrusted.length > 0 && (
        <Notice tone="bad">
          <p>
            <strong>The log of {namesOf(untrusted)} does not check out.</strong> It is not what was put on the chain, or
            not what you saw the last time. Nothing that it says is counted here.
          </p>
        </Notice>
      )}
      {uses.some(({ isExplained }) => !isExplained) && (
        <Notice tone="bad">
          <p>
            <strong>A use was paid that too few key holders say to have made possible.</strong> At least one of them
            left an entry out.
          </p>
        </Notice>
      )}
      {uses.length === 0 ? (
        <Empty>No use of it was settled in public.</Empty>
      ) : (
        <div className="table-wrap">
          <table className="cards">
            <caption>{formatAmount(paidUnits, coin)} in all</caption>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Paid to you</th>
                <th scope="col">Session</th>
                <th scope="col">Question</th>
              </tr>
            </thead>
            <tbody>
              {uses.map((use) => (
                <tr key={`${use.jobId}/${use.questionId}`} data-explained={use.isExplained}>
                  <td data-label="When">{formatTime(use.atMs)}</td>
                  <td data-label="Paid">{formatAmount(use.paidUnits, coin)}</td>
                  <td data-label="Session">
                    <Id value={use.jobId} what="session id" />
                  </td>
                  <td data-label="Question">
                    <Id value={use.questionId} what="question id" />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {privatePayouts !== null && (
        <p className="hint">
          This DAO also pays in epochs: which question used what is then known to nobody else, and your part is of all
          your contributions together. You find it under Payouts.
        </p>
      )}
      {privatePayoutsError !== null && (
        <p className="hint">Whether there are private payouts is not known now: {privatePayoutsError.message}.</p>
      )}
    </section>
  );
}

const namesOf = (members: readonly number[]): string =>
  members.map((member) => `key holder ${member + 1}`).join(' and ');
