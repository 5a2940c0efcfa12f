import { asTimestampMs, toUsufructError, type UsufructError } from '@usufruct/kernel';
import { claimEndOf, epochPhase, parseAt, type EpochPhase } from '@usufruct/protocol';
import { checkPayoutProof, zPayoutProof, type PayoutProof } from '@usufruct/sdk';
import { useState, type ChangeEvent } from 'react';
import { formatAmount, formatTime } from '../../app/format.js';
import { useLoaded, useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { Button } from '../../ui/button.js';
import { Checks } from '../../ui/checks.js';
import { Field } from '../../ui/field.js';
import { Id } from '../../ui/id.js';
import { Facts, Notice, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';

/** Far more than a leaf and 32 hashes are. */
const MOST_FILE_BYTES = 64 * 1024;

/** Private payouts: a leaf and its proof, as the settler of an epoch gave them, become money. */
export function Claim(acting: Acting & { readonly onClaimed: () => void }) {
  const [proof, setProof] = useState<PayoutProof>();
  const [error, setError] = useState<UsufructError>();
  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    event.target.value = ''; // the same file can be chosen again
    if (file === undefined) return;
    setError(undefined);
    setProof(undefined);
    try {
      setProof(await readProof(file));
    } catch (thrown) {
      setError(toUsufructError(thrown));
    }
  };
  return (
    <Panel
      title="Claim a payout of an epoch"
      lead="A DAO that pays in epochs keeps the weights of use private. You were given a proof file with your part; it is checked here before anything is sent."
    >
      <Field label="Proof file">
        {(props) => <input {...props} type="file" accept=".json" onChange={(event) => void read(event)} />}
      </Field>
      <Refusal error={error} />
      {proof !== undefined && <Claimable {...acting} key={JSON.stringify(proof.proof)} proof={proof} />}
    </Panel>
  );
}

async function readProof(file: File): Promise<PayoutProof> {
  const text = file.size > MOST_FILE_BYTES ? '' : await file.text();
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    content = undefined; // refused next, with the name of what it is not
  }
  return parseAt(zPayoutProof, content, 'proof file');
}

const CHECK_MEANINGS = {
  EPOCH: 'The proof is for this epoch.',
  DAO: 'Your part is of this epoch of this DAO.',
  INDEX: 'The epoch has that many parts.',
  INCLUSION: 'Your part is in the tree whose root is on the chain, with this amount for this account.',
};
const PHASE_WORDS: Readonly<Record<EpochPhase, string>> = {
  challenge: 'Key holders may still object to this epoch. It can be claimed from when that time is over.',
  claimable: 'It can be claimed now.',
  ended: 'The time to claim is over.',
  rejected: 'Key holders rejected this epoch. Its receipts will be in another one, with another proof.',
  swept: 'The time to claim is over, and what was left has been moved.',
};

function Claimable({ account, coin, proof, onClaimed }: Acting & { proof: PayoutProof; onClaimed: () => void }) {
  const { chain, payouts } = account.client;
  const { epochId, leaf } = proof;
  const state = useLoaded(`${epochId} ${leaf.index}`, async () => {
    const epoch = await chain.epoch(epochId);
    const { ok, checks } = checkPayoutProof(epoch, proof);
    return { epoch, ok, checks, isClaimed: ok && (await chain.isClaimed(epochId, leaf.index)) };
  });
  const claim = useTask(async () => {
    await payouts.claim(proof);
    state.reload();
    onClaimed();
  });
  if (state.error !== undefined) return <Refusal error={state.error} onRetry={state.reload} />;
  if (state.data === undefined) return null;
  const { epoch, ok, checks, isClaimed } = state.data;
  const phase = epochPhase(epoch, asTimestampMs(Date.now()));
  return (
    <div className="stack tight" data-testid="claim" data-ok={ok} data-claimed={isClaimed}>
      <Facts
        entries={[
          ['Part', formatAmount(leaf.amountUnits, coin)],
          ['For', <Id value={leaf.account} what="address that is paid" />],
          ['Time to claim', `${formatTime(epoch.challengeEndsAtMs)} to ${formatTime(claimEndOf(epoch))}`],
        ]}
      />
      <Checks caption="What was checked on this device" checks={checks} meanings={CHECK_MEANINGS} />
      {ok && <Notice tone={isClaimed ? 'good' : 'neutral'}>{isClaimed ? 'It was paid.' : PHASE_WORDS[phase]}</Notice>}
      {ok && !isClaimed && phase === 'claimable' && (
        <div>
          <Button look="primary" busy={claim.busy} onClick={() => void claim.run()}>
            Claim {formatAmount(leaf.amountUnits, coin)}
          </Button>
        </div>
      )}
      <Refusal error={claim.error} />
    </div>
  );
}
