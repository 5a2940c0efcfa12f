import { writeFileSync } from 'node:fs';
import type { JobId } from '@usufruct/kernel';
import { ATTRIBUTIONS, DOCUMENT_FORMATS, parseAt, toWireJson, zSourceFilter, type Answer } from '@usufruct/protocol';
import { Option } from 'commander';
import { z } from 'zod';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { checkLines } from '../verdict.js';

interface AskOptions {
  readonly job: string;
  readonly key?: string;
  readonly evidence?: string;
  readonly attribution?: string;
  readonly language?: string[];
  readonly format?: string[];
  readonly author?: string;
  readonly title?: string;
  readonly from?: string;
  readonly before?: string;
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
    .addOption(
      new Option('--attribution <method>', 'how contributors are paid for it').choices(ATTRIBUTIONS).default('score'),
    )
    .option('--language <tag...>', 'only from passages in one of these languages (BCP 47)')
    .addOption(new Option('--format <name...>', 'only from documents of these formats').choices(DOCUMENT_FORMATS))
    .option('--author <text>', 'only from documents that name an author with this in it')
    .option('--title <text>', 'only from documents that have a title with this in it')
    .option('--from <date>', 'only from documents dated this day or later (ISO 8601)')
    .option('--before <date>', 'only from documents dated before this day')
    .action(async (text: string, options: AskOptions, command) => {
      const runtime = open(command);
      const session = runtime.client().jobs.session(idArgument<JobId>(options.job, 'job'));
      const { key = crypto.randomUUID() } = options;
      const question = { key, text, ...wishesOf(options) };
      const asked = await session.ask(question, { onStep: (step) => runtime.terminal.remark(step) });
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

/** Refuses `INVALID_ARGUMENT` for what no document can be. */
function wishesOf({ attribution, language, format, author, title, from, before }: AskOptions) {
  const given = { languages: language, formats: format, author, title, dateFrom: from, dateBefore: before };
  const wished = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    attribution: parseAt(z.enum(ATTRIBUTIONS).default('score'), attribution, 'attribution'),
    ...(wished.length === 0 ? {} : { filter: parseAt(zSourceFilter, Object.fromEntries(wished), 'filter') }),
  };
}

export function answerLines(answer: Answer): string[] {
  const made = answer.generator === 'extractive' ? ['(sentences of the documents; no language model wrote this)'] : [];
  const cited = answer.citations.map(({ fileName, locator, contributionId }, i) => {
    const place = locator === '' ? fileName : `${fileName}, ${locator}`;
    return `[${i + 1}] ${place}  (${contributionId})`;
  });
  return [answer.text, ...made, '', ...cited];
}
