import { writeFileSync } from 'node:fs';
import type { JobId } from '@usufruct/kernel';
import { toWireJson, type Answer } from '@usufruct/protocol';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { checkLines } from '../verdict.js';

interface AskOptions {
  readonly job: string;
  readonly key?: string;
  readonly evidence?: string;
}

export const addAsk: AddCommand = (program, open) => {
  program
    .command('ask')
    .description(
      'one question, end to end encrypted to the attested runner; prints the answer only if its receipt verifies',
    )
    .argument('<question>')
    .requiredOption('--job <id>')
    .option('--key <text>', 'repeating with the same key never asks, or pays, a second time')
    .option('--evidence <file>', 'write what the receipt is judged by, for usufruct receipt verify')
    .action(async (text: string, options: AskOptions, command) => {
      const runtime = open(command);
      const session = runtime.client().jobs.session(idArgument<JobId>(options.job, 'job'));
      const { key = crypto.randomUUID() } = options;
      const asked = await session.ask({ key, text }, { onStep: (step) => runtime.terminal.remark(step) });
      const { questionId, answer, evidence, verdict } = asked;
      if (options.evidence !== undefined) {
        writeFileSync(options.evidence, `${toWireJson(evidence)}\n`, { mode: 0o600 });
      }
      const standIn = evidence.runner?.profile === 'software-dev';
      const runnerId = evidence.runner?.id ?? null;
      runtime.terminal.result({ questionId, answer, checks: verdict.checks, standIn, runnerId }, [
        ...answerLines(answer),
        '',
        ...checkLines(verdict.checks),
        ...(standIn ? ['The runner ran in the software TEE, a stand-in: nothing is proven about hardware.'] : []),
      ]);
      await session.forget(questionId);
    });
};

export function answerLines(answer: Answer): string[] {
  const made = answer.generator === 'extractive' ? ['(sentences of the documents; no language model wrote this)'] : [];
  const cited = answer.citations.map(({ fileName, locator, contributionId }, i) => {
    const place = locator === '' ? fileName : `${fileName}, ${locator}`;
    return `[${i + 1}] ${place}  (${contributionId})`;
  });
  return [answer.text, ...made, '', ...cited];
}
