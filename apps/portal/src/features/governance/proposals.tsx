import type { DaoView, Metadata, VoteChoice } from '@usufruct/protocol';
import { effectTitle, explainEffect, explainStatus, type ProposalStatus } from '@usufruct/sdk';
import { useEffect, useState } from 'react';
import { useLoaded, useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import type { DatasetCard } from '../../data/catalogue.js';
import { Button } from '../../ui/button.js';
import { Id } from '../../ui/id.js';
import { Chip, Empty, Loading } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { NewProposal } from './new-proposal.js';
import { PROPOSAL_STATE, wordsIn } from './words.js';

interface ProposalsProps extends Acting {
  readonly dao: DaoView;
  readonly datasets: readonly DatasetCard[];
  readonly onExecuted: () => void;
}

const CHOICE_LABELS: Readonly<Record<VoteChoice, string>> = { yes: 'Yes', no: 'No', abstain: 'Abstain' };
/** Proposals move by themselves as time passes. */
const READ_AGAIN_MS = 5_000;

/** What the members decide: newest first, each with what it does, where it stands and what can be done now. */
export function Proposals({ dao, datasets, onExecuted, ...acting }: ProposalsProps) {
  const { account } = acting;
  const [proposing, setProposing] = useState(false);
  const proposals = useLoaded(dao.id, async () => {
    const statuses = await account.client.proposals.list(dao.id);
    // Everything that counts is on the chain: words that the API does not give now may come with a later reading.
    const said = await account.client.proposals.words(dao.id, statuses).catch(() => undefined);
    return statuses.map((status) => ({ status, said: said?.get(status.proposal.id) }));
  });
  const { reload } = proposals;
  useEffect(() => {
    const timer = setInterval(reload, READ_AGAIN_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return (
    <section className="stack tight" aria-label="Proposals">
      <div className="row apart">
        <h3>Proposals</h3>
        {!proposing && (
          <Button small onClick={() => setProposing(true)}>
            Propose something
          </Button>
        )}
      </div>
      {proposing && (
        <NewProposal
          {...acting}
          dao={dao}
          datasets={datasets}
          onDone={() => {
            setProposing(false);
            reload();
          }}
        />
      )}
      <Refusal error={proposals.error} onRetry={reload} />
      {proposals.loading && <Loading what="the proposals" />}
      {proposals.data?.length === 0 && !proposing && <Empty>Nothing was proposed yet.</Empty>}
      <ul className="list">
        {proposals.data?.map(({ status, said }) => (
          <Proposal
            key={status.proposal.id}
            {...acting}
            status={status}
            said={said}
            onChanged={() => {
              reload();
              onExecuted();
            }}
          />
        ))}
      </ul>
    </section>
  );
}

interface ProposalProps extends Acting {
  readonly status: ProposalStatus;
  /** What the proposer says of it, where it was told and is what the chain has the digest of. */
  readonly said: Metadata | undefined;
  readonly onChanged: () => void;
}

function Proposal({ account, coin, status, said, onChanged }: ProposalProps) {
  const { proposal, state } = status;
  const { proposals } = account.client;
  const words = wordsIn(coin);
  const voted = useLoaded(`${proposal.id} ${account.address}`, () => proposals.voted(proposal.id));
  const act = useTask(async (choice: VoteChoice | 'execute') => {
    await (choice === 'execute' ? proposals.execute(proposal.id) : proposals.vote(proposal.id, choice));
    voted.reload();
    onChanged();
  });
  const [title = '', ...more] = explainEffect(proposal.effect, words);
  const ownTitle = said?.title === effectTitle(proposal.effect, words) ? '' : said?.title;
  const reasons = [ownTitle, said?.description].filter((text) => Boolean(text)).join(': ');
  const choice = voted.data ?? null;
  return (
    <li className="item" data-proposal={proposal.number} data-state={state}>
      <div className="row apart">
        <span className="item-title">
          {proposal.number}. {title}
        </span>
        <Chip tone={PROPOSAL_STATE[state].tone}>{PROPOSAL_STATE[state].words}</Chip>
      </div>
      {more.map((line) => (
        <p key={line}>{line}</p>
      ))}
      {reasons !== '' && <p>The proposer says: “{reasons}”</p>}
      {explainStatus(status, words).map((line) => (
        <p className="hint" key={line}>
          {line}
        </p>
      ))}
      <p className="hint">
        <Id value={proposal.id} what="proposal id" /> by <Id value={proposal.proposer} what="address of the proposer" />
        {choice !== null && ` · you voted: ${CHOICE_LABELS[choice].toLowerCase()}`}
      </p>
      {state === 'voting' && choice === null && voted.data !== undefined && (
        <div className="row" role="group" aria-label={`Vote on proposal ${proposal.number}`}>
          {(['yes', 'no', 'abstain'] as const).map((each) => (
            <Button key={each} small disabled={act.busy} onClick={() => void act.run(each)}>
              {CHOICE_LABELS[each]}
            </Button>
          ))}
        </div>
      )}
      {state === 'executable' && (
        <div>
          <Button small look="primary" busy={act.busy} onClick={() => void act.run('execute')}>
            Execute it
          </Button>
        </div>
      )}
      <Refusal error={act.error} />
    </li>
  );
}
