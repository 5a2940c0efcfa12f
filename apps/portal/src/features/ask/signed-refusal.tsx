import { toWireJson } from '@usufruct/protocol';
import { verifyRefusal, type RefusalEvidence } from '@usufruct/sdk';
import { useLoaded } from '../../app/use-task.js';
import { Button } from '../../ui/button.js';
import { Checks } from '../../ui/checks.js';
import { Notice } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { saveJsonFile } from '../../ui/save-file.js';
import { REFUSAL_MEANINGS } from '../verify/check-meanings.js';

/** A refusal that its runner signed: that it refused, why, and that nothing was charged. */
export function SignedRefusal({ evidence }: { readonly evidence: RefusalEvidence }) {
  const judged = useLoaded(evidence.refusal, () => verifyRefusal(evidence));
  const { data: verdict } = judged;
  if (verdict === undefined) return <Refusal error={judged.error} />;
  return (
    <Notice tone={verdict.ok ? 'neutral' : 'warn'}>
      <div className="stack" data-testid="signed-refusal" data-ok={verdict.ok}>
        <p>
          {verdict.ok
            ? 'The runner signed that it refused, and charged nothing. It does not show that it was right to refuse.'
            : 'The runner’s signed refusal fails a check.'}
        </p>
        <details>
          <summary>What was checked about the refusal</summary>
          <Checks caption="Checked in this browser" checks={verdict.checks} meanings={REFUSAL_MEANINGS} />
        </details>
        <div>
          <Button small onClick={() => saveJsonFile('refusal.json', toWireJson(evidence))}>
            Save the refusal with its evidence
          </Button>
        </div>
      </div>
    </Notice>
  );
}
