import { refuse, type Verdict } from '@usufruct/kernel';
import { parseAt } from '@usufruct/protocol';
import { verifyReceipt, zReceiptEvidence, type ReceiptEvidence } from '@usufruct/sdk';
import { useState, type FormEvent } from 'react';
import { useTask } from '../../app/use-task.js';
import { Button } from '../../ui/button.js';
import { Checks } from '../../ui/checks.js';
import { Field } from '../../ui/field.js';
import { Id } from '../../ui/id.js';
import { Chip, Facts, Notice, PageHead, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { RECEIPT_MEANINGS } from './check-meanings.js';
import { PaidTable } from './paid-table.js';

/** Larger than any receipt with its evidence; a slip of the clipboard should not stall the page. */
const MAX_CHARS = 4_000_000;

export function VerifyPage() {
  const [text, setText] = useState('');
  const [judged, setJudged] = useState<{ evidence: ReceiptEvidence; verdict: Verdict }>();
  const verify = useTask(async () => {
    setJudged(undefined);
    const evidence = readEvidence(text);
    setJudged({ evidence, verdict: await verifyReceipt(evidence) });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void verify.run();
  };
  return (
    <>
      <PageHead title="Verify">
        Check a receipt without trusting anyone who shows it to you. It is judged in this browser; nothing is sent.
      </PageHead>
      <div className="stack">
        <Panel title="A receipt and its evidence">
          <form className="stack" onSubmit={submit} aria-label="Receipt">
            <Field label="Paste the file here" hint="Or choose it: it is what “Save the receipt” gave you.">
              {(props) => (
                <textarea
                  {...props}
                  required
                  className="mono"
                  spellCheck={false}
                  value={text}
                  onChange={(event) => setText(event.target.value)}
                />
              )}
            </Field>
            <div className="row">
              <Button type="submit" look="primary" busy={verify.busy}>
                Check it
              </Button>
              <input
                type="file"
                accept="application/json,.json"
                aria-label="Receipt file"
                onChange={(event) => {
                  const file = event.target.files?.[0];
                  if (file !== undefined) void file.text().then(setText);
                }}
              />
            </div>
            <Refusal error={verify.error} />
          </form>
        </Panel>
        {judged !== undefined && <Judged {...judged} />}
      </div>
    </>
  );
}

function readEvidence(text: string): ReceiptEvidence {
  if (text.length > MAX_CHARS) throw refuse('REQUEST_TOO_LARGE', { limitChars: String(MAX_CHARS) });
  try {
    return parseAt(zReceiptEvidence, JSON.parse(text), 'receipt');
  } catch (error) {
    throw error instanceof SyntaxError ? refuse('MALFORMED_REQUEST', { expected: 'JSON' }) : error;
  }
}

interface JudgedProps {
  readonly evidence: ReceiptEvidence;
  readonly verdict: Verdict;
}

function Judged({ evidence, verdict }: JudgedProps) {
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
        <Notice>
          The views of the chain come from the file itself. Whoever does not trust the file reads them from the chain,
          by the ids above.
        </Notice>
      </div>
    </Panel>
  );
}
