import type { Check } from '@usufruct/kernel';

/** A meaning is written for a check that passed. */
const WHETHER = { passed: '', failed: 'Does not hold: ', skipped: 'Not checked: ' } as const;
const MARK = { passed: '✓', failed: '✗', skipped: '–' } as const;

interface ChecksProps {
  readonly caption: string;
  readonly checks: readonly Check[];
  /** In plain language, what each check is for; a check without an entry shows its name only. */
  readonly meanings: Readonly<Record<string, string>>;
}

/** A list of checks. A skipped one is shown as skipped with its reason: an absent check is no pass. */
export function Checks({ caption, checks, meanings }: ChecksProps) {
  return (
    <div className="table-wrap">
      <table className="cards">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Result</th>
            <th scope="col">Check</th>
            <th scope="col">What it means</th>
          </tr>
        </thead>
        <tbody>
          {checks.map((check) => (
            <tr key={check.name} data-check={check.name} data-status={check.status}>
              <td>
                <span className={`check-mark ${check.status}`} aria-hidden="true">
                  {MARK[check.status]}
                </span>
                {check.status}
              </td>
              <th scope="row">{check.name}</th>
              <td>
                {WHETHER[check.status]}
                {meanings[check.name] ?? ''}
                {check.detail !== '' && <div className="hint">{check.detail}</div>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
