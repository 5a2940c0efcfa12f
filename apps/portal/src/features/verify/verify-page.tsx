import { refuse } from '@usufruct/kernel';
import { parseAt } from '@usufruct/protocol';
import { verifyReceipt, zReceiptEvidence, type ReceiptEvidence } from '@usufruct/sdk';
import { useState, type FormEvent } from 'react';
import { useRoute } from '../../app/route.js';
import { useTask } from '../../app/use-task.js';
import { WithAccount } from '../../app/with-account.js';
import { Button } from '../../ui/button.js';
import { Field } from '../../ui/field.js';
import { PageHead, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { Judged, type JudgedReceipt } from './judged.js';
import { SettledReceipt } from './settled-receipt.js';

/** Larger than any receipt with its evidence; a slip of the clipboard should not stall the page. */
const MAX_CHARS = 4_000_000;

export function VerifyPage() {
  const { query } = useRoute();
  const job = query.get('job');
  const question = query.get('question');
  return (
    <>
      <PageHead title="Verify">
        Check a receipt without trusting anyone who shows it to you. It is judged in this browser.
      </PageHead>
      {job !== null && question !== null ? (
        <WithAccount>{(acting) => <SettledReceipt {...acting} job={job} question={question} />}</WithAccount>
      ) : (
        <PastedReceipt />
      )}
    </>
  );
}

/** Offline: nothing is asked of anybody and nothing is sent. */
function PastedReceipt() {
  const [text, setText] = useState('');
  const [judged, setJudged] = useState<JudgedReceipt>();
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
    <div className="stack">
      <Panel title="A receipt and its evidence" lead="Nothing is sent: you can be offline.">
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
      {judged !== undefined && (
        <Judged {...judged}>
          The views of the chain come from the file itself. Whoever does not trust the file reads them from the chain,
          by the ids above.
        </Judged>
      )}
    </div>
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
