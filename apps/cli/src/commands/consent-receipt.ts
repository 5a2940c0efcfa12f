import { readFileSync, writeFileSync } from 'node:fs';
import { consentReceiptText, parseConsentReceipt, zStated, type JsonObject, type Stated } from '@usufruct/consent';
import { refuse, type GrantId } from '@usufruct/kernel';
import { parseAt } from '@usufruct/protocol';
import { judgeOffline } from '@usufruct/sdk';
import type { Command } from 'commander';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { sayReceiptVerdict } from '../verdict.js';

interface IssueOptions {
  readonly out?: string;
  readonly state?: string[];
  readonly unsigned?: boolean;
}

/** `usufruct consent receipt GRANT` and `usufruct consent receipt verify FILE`. */
export function addConsentReceipt(consent: Command, open: Parameters<AddCommand>[1]): void {
  const receipt = consent
    .command('receipt')
    .description('a receipt of a grant, by ISO/IEC TS 27560 as DPV JSON-LD, signed where the wallet is the grantor')
    .argument('<grant>')
    .option('--out <file>', 'write it there, as the one text that is judged')
    .option(
      '--state <field=text...>',
      `what the chain does not know: ${Object.keys(zStated.shape).join(', ')}; what is left out is named as not stated`,
    )
    .option('--unsigned', 'only a view of what the chain says')
    .action(async (id: string, { out, state, unsigned }: IssueOptions, command) => {
      const runtime = open(command);
      const document = await runtime.client().grants.receipt({
        grantId: idArgument<GrantId>(id, 'grant'),
        stated: statedOf(state ?? []),
        isUnsigned: unsigned === true,
      });
      const isSigned = 'usufruct:proof' in document;
      if (out !== undefined) writeFileSync(out, consentReceiptText(document), { mode: 0o600 });
      const lines =
        out === undefined
          ? [consentReceiptText(document).trimEnd()]
          : [`${isSigned ? 'signed receipt' : 'unsigned view'} in ${out}`];
      runtime.terminal.result({ receipt: document, isSigned }, lines);
    });
  receipt
    .command('verify')
    .description('judge a consent receipt from a file, without any network; --online compares with the chain')
    .argument('<file>', 'written by consent receipt')
    .option('--online')
    .option('--allow-unsigned', 'accept a view that nobody signed')
    .action(async (path: string, { online, allowUnsigned }: { online?: boolean; allowUnsigned?: boolean }, command) => {
      const runtime = open(command);
      const document = readReceipt(path);
      const options = { isUnsignedAllowed: allowUnsigned === true };
      const verdict =
        online === true
          ? await runtime.client().grants.judgeReceipt(document, options)
          : await judgeOffline(document, options);
      sayReceiptVerdict(runtime.terminal, verdict);
    });
}

function readReceipt(path: string): JsonObject {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw refuse('NOT_FOUND', { object: 'consent receipt', path }, cause);
  }
  return parseConsentReceipt(text);
}

function statedOf(pairs: readonly string[]): Stated {
  const entries = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at <= 0) throw refuse('INVALID_ARGUMENT', { field: 'state', expected: 'field=text' });
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return parseAt(zStated, Object.fromEntries(entries), 'state');
}
