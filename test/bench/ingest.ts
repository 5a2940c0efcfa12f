/**
 * `npm run -s bench:ingest`: how fast documents of each format become chunks with sketches, in the process that the
 * runner starts for it, one at a time. MB are megabytes of the file as it was uploaded; office documents are packed, so a
 * MB of theirs is more text. Processor time, of both processes, is given beside the clock's, because it is the same on a
 * busy machine.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { coreProperties, docxEntries, pptxEntries, xlsxEntries, zipOf } from '@usufruct/testing';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { cpuSeconds } from './processes.ts';
import { percentile, progress, report } from './report.ts';

type Rag = typeof import('../../apps/enclave-runner/src/compute/rag/index.js');
const built = new URL('../../apps/enclave-runner/dist/compute/rag/index.js', import.meta.url);
const { ingestDocument } = (await import(built.href)) as Rag;

const PARAGRAPHS = 4_000;
const ROUNDS = 5;

let state = 7;
const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
const word = (): string => `w${Math.floor(6_000 ** next()).toString(36)}`;
const sentence = (): string => `The ${Array.from({ length: 12 }, word).join(' ')}.`;
const paragraphs = Array.from({ length: PARAGRAPHS }, () => Array.from({ length: 8 }, sentence).join(' '));
const rows = paragraphs.map((_, i) => [String(i), word(), String(next()), sentence()]);

async function pdf(): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (let i = 0; i < PARAGRAPHS / 4; i++) {
    const lines = paragraphs.slice(4 * i, 4 * i + 4).flatMap((text) => text.match(/.{1,90}(?: |$)/g) ?? []);
    document.addPage([595, 842]).drawText(lines.join('\n'), { x: 40, y: 800, size: 9, font, lineHeight: 12 });
  }
  return document.save();
}

const run = (text: string, space: 'w' | 'a'): string =>
  `<${space}:p><${space}:r><${space}:t>${text}</${space}:t></${space}:r></${space}:p>`;
const shape = (text: string): string => `<p:sp><p:txBody>${run(text, 'a')}</p:txBody></p:sp>`;
const cell = (text: string): string => `<c t="inlineStr"><is><t>${text}</t></is></c>`;
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

const files: Readonly<Record<string, Uint8Array>> = {
  txt: text(paragraphs.join('\n\n')),
  md: text(paragraphs.map((each, i) => `## Part ${i}\n${each}`).join('\n\n')),
  html: text(`<!doctype html><body>${paragraphs.map((each, i) => `<h2>Part ${i}</h2><p>${each}`).join('')}`),
  csv: text(['id,name,number,note', ...rows.map((each) => each.join(','))].join('\n')),
  jsonl: text(paragraphs.map((each, id) => JSON.stringify({ id, title: word(), text: each })).join('\n')),
  eml: text(`From: a@example.org\nSubject: Parts\n\n${paragraphs.join('\n\n')}`),
  pdf: await pdf(),
  docx: zipOf(
    docxEntries(paragraphs.map((each) => run(each, 'w')).join(''), {
      'docProps/core.xml': coreProperties('Parts', 'A', '2026-01-01T00:00:00Z'),
    }),
  ),
  xlsx: zipOf(
    xlsxEntries({
      Parts: [['id', 'name', 'number', 'note'], ...rows]
        .map((each) => `<row>${each.map(cell).join('')}</row>`)
        .join(''),
    }),
  ),
  pptx: zipOf(pptxEntries(paragraphs.slice(0, 1_000).map(shape))),
};

const results: object[] = [];
const sketchKey = randomBytes(8);
for (const [format, bytes] of Object.entries(files)) {
  const timesMs: number[] = [];
  const cpuMs: number[] = [];
  let chunks = 0;
  let chars = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const startedMs = performance.now();
    const startedCpuMs = processorMs();
    const document = await ingestDocument({ fileName: `parts.${format}`, bytes }, { sketchKey });
    [chunks, chars] = [document.chunks.length, document.indexedChars];
    // The first round starts the process and loads the parser.
    if (round === 0) continue;
    timesMs.push(performance.now() - startedMs);
    cpuMs.push(processorMs() - startedCpuMs);
  }
  const [p50, cpu] = [percentile(timesMs, 50), percentile(cpuMs, 50)];
  const textMegabytes = chars / 1e6;
  results.push({
    name: 'ingest',
    format,
    file_bytes: bytes.length,
    text_chars: chars,
    chunks,
    p50_ms: p50,
    cpu_p50_ms: cpu,
    file_mb_per_s: bytes.length / 1_000 / p50,
    text_mb_per_s: chars / 1_000 / p50,
    text_mb_per_cpu_s: chars / 1_000 / cpu,
  });
  progress(
    `${format}: ${(textMegabytes / (p50 / 1_000)).toFixed(2)} MB of text a second, ${(textMegabytes / (cpu / 1_000)).toFixed(2)} a processor second`,
  );
}
process.stdout.write(`${JSON.stringify(report('ingest', [{ results, targets: [] }]))}\n`);

/** Of this process and of those that it has started. */
function processorMs(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [process.pid, ...children.map(Number)].reduce((sum, pid) => sum + 1_000 * (cpuSeconds(pid) ?? 0), 0);
}
