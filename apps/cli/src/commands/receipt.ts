import { readFileSync, writeFileSync } from 'node:fs';
import { refuse, type JobId, type QuestionId } from '@usufruct/kernel';
import { parseAt, toWireJson } from '@usufruct/protocol';
import {
  refusalOf,
  verifyReceipt,
  verifyRefusal,
  zReceiptEvidence,
  zRefusalEvidence,
  type ReceiptEvidence,
  type RefusalEvidence,
} from '@usufruct/sdk';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { checkLines, sayReceiptVerdict } from '../verdict.js';

export const addReceipt: AddCommand = (program, open) => {
  const receipt = program.command('receipt').description('signed receipts of paid questions');
  receipt
    .command('get')
    .description('what a receipt is judged by, from the API and the chain')
    .argument('<job>')
    .argument('<question>')
    .option('--evidence <file>', 'write it to a file, for usufruct receipt verify')
    .action(async (job: string, question: string, options: { evidence?: string }, command) => {
      const runtime = open(command);
      const evidence = await runtime
        .client()
        .receipts.collectSettled(idArgument<JobId>(job, 'job'), idArgument<QuestionId>(question, 'question'));
      if (options.evidence !== undefined) writeFileSync(options.evidence, `${toWireJson(evidence)}\n`, { mode: 0o600 });
      const { checks } = await verifyReceipt(evidence);
      runtime.terminal.result({ evidence, checks }, checkLines(checks));
    });
  receipt
    .command('verify')
    .description(
      'judge a receipt, or a signed refusal, from a file, without any network; --online reads what the chain says anew',
    )
    .argument('<file>', 'written by ask or receipt get')
    .option('--online')
    .action(async (path: string, { online }: { online?: boolean }, command) => {
      const runtime = open(command);
      const saved = readEvidence(path);
      if ('refusal' in saved) {
        const { refusal, signature } = saved;
        const judged = online === true ? await runtime.client().receipts.collectRefusal({ refusal, signature }) : saved;
        const { code, questionId } = refusalOf(refusal) ?? { code: 'unreadable', questionId: 'unknown' };
        runtime.terminal.remark(`a refusal: question ${questionId}, ${code}`);
        return sayReceiptVerdict(runtime.terminal, await verifyRefusal(judged));
      }
      const { receipt: bytes, signature, answer, settlement } = saved;
      const evidence =
        online === true
          ? await runtime
              .client()
              .receipts.collect({ receipt: bytes, signature, answer, transaction: settlement?.digest ?? null })
          : saved;
      sayReceiptVerdict(runtime.terminal, await verifyReceipt(evidence));
    });
};

function readEvidence(path: string): ReceiptEvidence | RefusalEvidence {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw refuse('NOT_FOUND', { object: 'evidence file', path }, cause);
  }
  const isRefusal = typeof content === 'object' && content !== null && 'refusal' in content;
  return isRefusal
    ? parseAt(zRefusalEvidence, content, 'evidence file')
    : parseAt(zReceiptEvidence, content, 'evidence file');
}
