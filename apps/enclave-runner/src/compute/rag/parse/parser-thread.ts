import { refuse } from '@usufruct/kernel';
import { Worker } from 'node:worker_threads';
import type { ParserInput, ParserOutput } from './parser-worker.js';
import type { ParseLimits } from './types.js';

type Parsed<Kind extends ParserInput['kind']> = Extract<ParserOutput, { kind: Kind }>;

/**
 * Run a parser of somebody else's in a thread with limits on time and heap. Resolves with what it read; refuses
 * `FORMAT_BROKEN` when it failed, died or took too long, and `FILE_TOO_LARGE` when it met a limit on counts.
 * The heap limit does not count memory outside the JavaScript heap; the time limit bounds that.
 */
export async function parseInThread<Kind extends ParserInput['kind']>(
  input: ParserInput & { readonly kind: Kind },
  limits: ParseLimits,
): Promise<Parsed<Kind>> {
  const output = await outputOf(input, limits);
  if (output.kind === 'too-large') throw refuse('FILE_TOO_LARGE', { limit: 'pages or elements' });
  if (!isOf<Kind>(output, input.kind)) throw brokenFormat(input.kind);
  return output;
}

const isOf = <Kind extends ParserInput['kind']>(output: ParserOutput, kind: Kind): output is Parsed<Kind> =>
  output.kind === kind;

function outputOf(input: ParserInput, limits: ParseLimits): Promise<ParserOutput> {
  const file = import.meta.url.endsWith('.ts') ? './parser-worker.ts' : './parser-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: input,
    env: {},
    execArgv: [],
    // Parsers print warnings that may quote the document.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: limits.parserHeapMb },
  });
  let timer: NodeJS.Timeout | undefined;
  return new Promise<ParserOutput>((resolve, reject) => {
    timer = setTimeout(() => reject(brokenFormat(input.kind)), limits.parserTimeMs);
    worker.once('message', (output: ParserOutput) => resolve(output));
    worker.once('error', (cause) => reject(brokenFormat(input.kind, cause)));
    worker.once('exit', () => reject(brokenFormat(input.kind)));
  }).finally(async () => {
    clearTimeout(timer);
    await worker.terminate();
  });
}

const brokenFormat = (kind: ParserInput['kind'], cause?: unknown) =>
  refuse('FORMAT_BROKEN', { expected: kind.toUpperCase() }, cause);
