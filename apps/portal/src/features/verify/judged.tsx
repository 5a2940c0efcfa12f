import type { Verdict } from '@usufruct/kernel';
import type { ReceiptEvidence } from '@usufruct/sdk';
import type { ReactNode } from 'react';
import { Checks } from '../../ui/checks.js';
import { Id } from '../../ui/id.js';
import { Chip, Facts, Notice, Panel } from '../../ui/layout.js';
import { RECEIPT_MEANINGS } from './check-meanings.js';
import { PaidTable } from './paid-table.js';

export interface JudgedReceipt {
  readonly evidence: ReceiptEvidence;
  readonly verdict: Verdict;
}

/** A receipt with everything that was checked about it. `children` say where what it was judged by came from. */
export function Judged({ evidence, verdict, children }: JudgedReceipt & { readonly children: ReactNode }) {
  const { chain, job } = evidence;
  return (
    <Panel
      title="Result"
      actions={
        <Chip tone={verdict.ok ? 'good' : 'bad'}>{verdict.ok ? 'the receipt holds' : 'the receipt does not hold'}</Chip>
      }
    >
      <div className="stack" data-testid="verdict" data-ok={verdict.ok}>
        {chain.standIn && <Notice tone="warn">This receipt is of a local chain. It documents nothing of value.</Notice>}
        <Facts
          entries={[
            ['Chain', chain.chainId],
            ['Session', <Id key="job" value={job.id} what="session id" />],
            ['Asked by', <Id key="requester" value={job.requester} what="address" />],
          ]}
        />
        <Checks caption="Checked in this browser" checks={verdict.checks} meanings={RECEIPT_MEANINGS} />
        <PaidTable evidence={evidence} coin={chain.coin} />
        <Notice>{children}</Notice>
      </div>
    </Panel>
  );
}
