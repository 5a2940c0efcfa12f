import type { Check } from '@usufruct/kernel';
import type { AttestedRunner, JobSession } from '@usufruct/sdk';
import { formatTime } from '../../app/format.js';
import { useLoaded } from '../../app/use-task.js';
import { Button } from '../../ui/button.js';
import { Checks } from '../../ui/checks.js';
import { Id } from '../../ui/id.js';
import { Chip, Facts, Loading, Notice, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { ATTESTATION_MEANINGS } from '../verify/check-meanings.js';

/** The runner’s evidence, fetched for a fresh challenge and judged in this browser. */
export function AttestationPanel({ session }: { readonly session: JobSession }) {
  const attested = useLoaded(session.jobId, () => session.attest());
  return (
    <Panel
      title="Who will read your question"
      lead="This browser made a random challenge, and the runner answered it with evidence of what it is. The table shows what was checked here; the operator’s word counts for nothing."
      actions={
        <Button small onClick={attested.reload}>
          Challenge it again
        </Button>
      }
    >
      {attested.loading && <Loading what="the evidence" />}
      <Refusal error={attested.error} onRetry={attested.reload} />
      {attested.data !== undefined && <Evidence attested={attested.data} />}
    </Panel>
  );
}

function Evidence({ attested }: { readonly attested: AttestedRunner }) {
  const { claims, result, runner } = attested;
  return (
    <div className="stack" data-testid="attestation" data-ok={result.ok}>
      {claims.standIn && (
        <Notice tone="warn">
          <p>
            <strong>DEV ONLY: software TEE.</strong> The evidence is well-formed, but it was made by software that
            imitates the hardware. It proves nothing: whoever runs this machine can read your question.
          </p>
        </Notice>
      )}
      <div className="row">
        <Chip tone={result.ok ? 'good' : 'bad'}>{result.ok ? summaryOf(result.checks) : 'not trustworthy'}</Chip>
      </div>
      <Facts
        entries={[
          ['Kind of evidence', claims.profile],
          ['Code', <Id key="code" value={claims.measurement} what="measurement" />],
          ['Registered until', formatTime(runner.expiresAtMs)],
        ]}
      />
      <details open={!result.ok}>
        <summary>What was checked, and what each check means</summary>
        <Checks
          caption={`Checked in this browser. Good until ${formatTime(result.expiresAtMs)}; each question is checked anew.`}
          checks={result.checks}
          meanings={ATTESTATION_MEANINGS}
        />
      </details>
    </div>
  );
}

function summaryOf(checks: readonly Check[]): string {
  const passed = checks.filter(({ status }) => status === 'passed').length;
  const skipped = checks.filter(({ status }) => status === 'skipped').length;
  return `${passed} checks passed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
