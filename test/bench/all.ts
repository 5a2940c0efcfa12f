/**
 * `npm run bench:all`: runs every benchmark, writes docs/measurements/latest.json and the table in README.md.
 * `npm run bench:all -- rag store` runs these again and keeps what was measured of the others. No figure in the README is
 * written by hand.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { argv, execPath } from 'node:process';
import type { Target } from './report.ts';

interface Report {
  readonly bench: string;
  readonly at: string;
  readonly machine: { readonly cpus: number; readonly memGiB: number; readonly node: string };
  readonly results: readonly object[];
  readonly targets: readonly Target[];
}

/** Files with their arguments. Re-sharing 10,000 takes minutes and has no target: `npm run -s bench:reshare`. */
const BENCHES: readonly (readonly [string, ...string[]])[] = [
  ['main.ts'],
  ['rag.ts'],
  ['attestation.ts'],
  ['release.ts'],
  ['store.ts'],
  ['reshare.ts', '1', '100', '1000'],
];

const root = new URL('../../', import.meta.url).pathname;
const latest = `${root}docs/measurements/latest.json`;
const again = argv.slice(2);
const known = again.length === 0 ? [] : (JSON.parse(readFileSync(latest, 'utf8')) as readonly Report[]);

const reports = BENCHES.map(([file, ...args]): Report => {
  const kept = known.find(({ bench }) => `${bench}.ts` === file && !again.includes(bench));
  if (kept !== undefined) return kept;
  const path = new URL(file, import.meta.url).pathname;
  const text = execFileSync(execPath, [path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 ** 2,
  });
  return JSON.parse(text.toString('utf8')) as Report;
});

mkdirSync(`${root}docs/measurements`, { recursive: true });
writeFileSync(latest, `${JSON.stringify(reports, null, 2)}\n`);

const readme = readFileSync(`${root}README.md`, 'utf8');
const START = '<!-- bench -->';
const END = '<!-- /bench -->';
const [before, rest] = readme.split(START);
const after = rest?.split(END)[1];
if (before === undefined || after === undefined) throw new Error('README.md has no place for the table');
const tables = reports.filter(({ targets }) => targets.length > 0).map(table);
writeFileSync(`${root}README.md`, `${before}${START}\n${tables.join('\n')}\n${END}${after}`);

function table({ at, machine, targets, results }: Report): string {
  const rows = targets.map(
    ({ name, value, unit, op, target, ok }) =>
      `| \`${name}\` | ${value} ${unit} | ${op} ${target} | ${ok ? 'yes' : '**no**'} |`,
  );
  const asks = results
    .filter(isAsk)
    .map(
      ({ paragraphs, p50_ms, p99_ms }) =>
        `${paragraphs.toLocaleString('en')} paragraphs p50 ${p50_ms.toFixed(0)} ms, p99 ${p99_ms.toFixed(0)} ms`,
    );
  return [
    `${at.slice(0, 10)}, ${machine.cpus} cores, ${machine.memGiB} GiB, Node ${machine.node}:`,
    '',
    '| Target | Measured | Wanted | Met |',
    '|---|---|---|---|',
    ...rows,
    ...(asks.length === 0
      ? []
      : [
          '',
          `A question without a language model, on a warm index, from the client's call to its verified and settled receipt: ${asks.join('; ')}.`,
        ]),
    '',
  ].join('\n');
}

interface Ask {
  readonly name: 'ask';
  readonly paragraphs: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
}
function isAsk(result: object): result is Ask {
  return 'name' in result && result.name === 'ask';
}
