import { CHECK_MEANINGS, CHECK_SECTIONS, checkSection, type CheckSection } from '@usufruct/attestation';
import { UsufructError, type Check } from '@usufruct/kernel';
import type { InspectedRunner, JobSession } from '@usufruct/sdk';
import { formatTime } from '../../app/format.js';
import { useLoaded } from '../../app/use-task.js';
import { Button } from '../../ui/button.js';
import { Checks } from '../../ui/checks.js';
import { Id } from '../../ui/id.js';
import { Chip, Facts, Loading, Notice, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';

const SECTION_TITLES: Readonly<Record<CheckSection, string>> = {
  verifier: 'What this browser judges by',
  processor: 'The processor and the code on it',
  gpus: 'The graphics processors',
  bond: 'That they belong together, and to your question',
};

/** The runner’s evidence, fetched for a fresh challenge and judged in this browser. */
export function AttestationPanel({ session }: { readonly session: JobSession }) {
  const inspected = useLoaded(session.jobId, () => session.inspect());
  return (
    <Panel
      title="Who will read your question"
      lead="This browser made a random challenge, and the runner answered it with evidence of what it is. The table shows what was checked here; the operator’s word counts for nothing."
      actions={
        <Button small onClick={inspected.reload}>
          Challenge it again
        </Button>
      }
    >
      {inspected.loading && <Loading what="the evidence" />}
      <Refusal error={inspected.error} onRetry={inspected.reload} />
      {inspected.data !== undefined && <Evidence inspected={inspected.data} />}
    </Panel>
  );
}

function Evidence({ inspected }: { readonly inspected: InspectedRunner }) {
  const { attested, result, profile, standIn, missing } = inspected;
  const good = attested instanceof UsufructError ? null : attested;
  return (
    <div className="stack" data-testid="attestation" data-ok={good !== null}>
      {standIn && (
        <Notice tone="warn">
          <p>
            <strong>DEV ONLY: software TEE.</strong> Software that imitates the hardware made this evidence, or its root
            is trusted here. So it proves nothing, well-formed or not: whoever runs this machine can read your question.
          </p>
        </Notice>
      )}
      {attested instanceof UsufructError && <Refusal error={attested} />}
      <div className="row">
        <Chip tone={good === null ? 'bad' : 'good'}>
          {good === null ? 'not trustworthy' : summaryOf(result.checks)}
        </Chip>
      </div>
      <Facts
        entries={[
          ['Kind of evidence', profile],
          ...(good === null
            ? []
            : ([
                ['Code', <Id key="code" value={good.claims.measurement} what="measurement" />],
                ['Registered until', formatTime(good.runner.expiresAtMs)],
              ] as const)),
        ]}
      />
      {missing.length > 0 && (
        <Notice tone="warn">
          <p>
            What the hardware’s maker would have to say is not at hand, so the evidence cannot be judged to its end:
          </p>
          <ul>
            {missing.map(({ name, reason }) => (
              <li key={name}>
                {name}: {reason}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <details open={good === null}>
        <summary>What was checked, and what each check means</summary>
        {CHECK_SECTIONS.map((section) => {
          const checks = result.checks.filter(({ name }) => checkSection(name) === section);
          if (checks.length === 0) return null;
          return <Checks key={section} caption={SECTION_TITLES[section]} checks={checks} meanings={CHECK_MEANINGS} />;
        })}
        <p className="hint">
          Checked in this browser. {good !== null && <>Good until {formatTime(result.expiresAtMs)}. </>}Each question is
          checked anew.
        </p>
      </details>
    </div>
  );
}

function summaryOf(checks: readonly Check[]): string {
  const passed = checks.filter(({ status }) => status === 'passed').length;
  const skipped = checks.filter(({ status }) => status === 'skipped').length;
  return `${passed} checks passed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
