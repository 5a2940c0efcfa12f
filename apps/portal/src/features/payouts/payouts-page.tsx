import { shortId, formatAmount, formatTime } from '../../app/format.js';
import { usePortal } from '../../app/portal.js';
import { routeTo } from '../../app/route.js';
import { useLoaded } from '../../app/use-task.js';
import { WithAccount, type Acting } from '../../app/with-account.js';
import { useFileNames } from '../../data/use-file-names.js';
import type { LedgerEntry } from '@usufruct/sdk';
import { Button } from '../../ui/button.js';
import { Empty, Loading, Notice, PageHead, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { Claim } from './claim.js';
import { Faucet } from './faucet.js';
import { OwnPayouts } from './own-payouts.js';

export function PayoutsPage() {
  return (
    <>
      <PageHead title="Payouts">
        Each time your data is used to answer a question, you are paid by the weight of what was used. Every entry is an
        event on the chain.
      </PageHead>
      <WithAccount>{(acting) => <Payouts {...acting} />}</WithAccount>
    </>
  );
}

function Payouts(acting: Acting) {
  const { account, coin } = acting;
  const { config, moneyMoved } = usePortal();
  const entries = useLoaded('entries', () => account.client.payouts.entries());
  const reload = () => {
    entries.reload();
    moneyMoved();
  };
  return (
    <div className="stack">
      <Panel title="Balance">
        <p className="figure-big" data-testid="own-balance">
          {account.balanceUnits === undefined ? '…' : formatAmount(account.balanceUnits, coin)}
        </p>
        {config.suiNetwork === 'local' && <Faucet account={account} coin={coin} onDone={reload} />}
        <Reconciliation {...acting} />
      </Panel>
      <Panel
        title="Your ledger"
        actions={
          <Button small onClick={reload}>
            Read again
          </Button>
        }
      >
        <Refusal error={entries.error} onRetry={entries.reload} />
        {entries.loading && <Loading what="the ledger" />}
        {entries.data?.length === 0 && <Empty>Nothing was paid to or from this account yet.</Empty>}
        {entries.data !== undefined && entries.data.length > 0 && <LedgerTable {...acting} entries={entries.data} />}
      </Panel>
      <OwnPayouts {...acting} onClaimed={reload} />
      <Claim {...acting} onClaimed={reload} />
    </div>
  );
}

/** Does what the API shows agree with the chain? */
function Reconciliation({ account }: Acting) {
  const result = useLoaded(`reconciliation ${account.balanceUnits}`, () => account.client.payouts.reconcile());
  if (result.error !== undefined) return <Refusal error={result.error} onRetry={result.reload} />;
  if (result.data === undefined) return null;
  return result.data.agrees ? (
    <p className="hint">The ledger below and the chain agree to the last unit.</p>
  ) : (
    <Notice tone="bad">The ledger below and the chain do not agree. Trust the balance: it is the chain’s.</Notice>
  );
}

/** Why money moved: the type of the event on the chain, in words. */
const REASON_WORDS: Readonly<Record<string, string>> = {
  Minted: 'minted to play with',
  Transferred: 'transfer',
  JobFunded: 'locked for a session',
  ReceiptSettled: 'paid for a use',
  JobClosed: 'came back from a session',
  TreasurySpent: 'paid from a treasury',
  ReceiptSettledPrivately: 'paid for a use',
  EpochProposed: 'set aside for an epoch',
  EpochRejected: 'came back from an epoch',
  PayoutClaimed: 'claimed from an epoch',
  EpochSwept: 'what nobody claimed',
  ReceiptsWrittenOff: 'what nobody could divide',
  LicenceBought: 'a licence',
};

/** An address, or the escrow of a session (`escrow:<id>`). */
const partyOf = (account: string): string => {
  const session = account.startsWith('escrow:') ? account.slice('escrow:'.length) : undefined;
  return session === undefined ? shortId(account) : `session ${shortId(session)}`;
};

function LedgerTable({ account, coin, entries }: Acting & { readonly entries: readonly LedgerEntry[] }) {
  const names = useFileNames(account);
  return (
    <div className="table-wrap">
      <table className="cards">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">For</th>
            <th scope="col">With</th>
            <th scope="col" className="number">
              Amount
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr
              key={`${entry.eventSeq}/${entry.direction}/${entry.counterAccount}/${entry.contributionId ?? ''}/${entry.amountUnits}`}
              data-direction={entry.direction}
              data-units={entry.amountUnits.toString()}
            >
              <td data-label="When">{formatTime(entry.atMs)}</td>
              <td data-label="What">
                {REASON_WORDS[entry.reason] ?? entry.reason}
                {entry.jobId !== null && entry.questionId !== null && (
                  <>
                    {' · '}
                    <a href={routeTo('verify', { job: entry.jobId, question: entry.questionId })}>receipt</a>
                  </>
                )}
              </td>
              <td data-label="For">
                {entry.contributionId === null
                  ? ''
                  : (names.get(entry.contributionId) ?? shortId(entry.contributionId))}
              </td>
              <td data-label="With">{partyOf(entry.counterAccount)}</td>
              <td data-label="Amount" className="number">
                {entry.direction === 'credit' ? '+' : '−'}
                {formatAmount(entry.amountUnits, coin)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
