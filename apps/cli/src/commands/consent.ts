import { asTimestampMs, type ContributionId, type GrantId } from '@usufruct/kernel';
import { explainTerms, signable } from '@usufruct/consent';
import { type ChainInfo, type GrantTerms, type GrantView } from '@usufruct/protocol';
import { formatCoins, parseCoins } from '../amounts.js';
import type { AddCommand } from '../program.js';
import { idArgument, type Runtime } from '../runtime.js';
import { integerOf } from '../arguments.js';
import { printDocument } from '../document.js';
import { addConsentReceipt } from './consent-receipt.js';
import { addConsentRevoke } from './consent-revoke.js';

interface GrantOptions {
  readonly purpose: string[];
  readonly floor: string;
  readonly days: string;
}
const DAY_MS = 24 * 60 * 60_000;

export const addConsent: AddCommand = (program, open) => {
  const consent = program.command('consent').description('what a contribution may be used for, by its owner');
  consent
    .command('grant')
    .description('allow private questions for a purpose; grants do not add up, each covers a use by itself')
    .argument('<contribution>')
    .requiredOption(
      '--purpose <code...>',
      'DUO or DPV codes, as dpv:ResearchAndDevelopment; a DUO modifier narrows the others, or is refused',
    )
    .option('--floor <amount>', 'the least price of a question, in coins', '0')
    .option('--days <n>', 'how long', '90')
    .action(async (id: string, options: GrantOptions, command) => {
      const runtime = open(command);
      const { coin } = await runtime.chain().info();
      const terms = termsOf(runtime, coin, options);
      const grant = await runtime
        .client()
        .grants.give({ contributionId: idArgument<ContributionId>(id, 'contribution'), terms });
      runtime.terminal.result({ grantId: grant.id, grant }, [`grant ${grant.id}`, ...explained(grant, coin)]);
    });
  addConsentRevoke(consent, open);
  consent
    .command('list')
    .description('every grant of a contribution, revoked and expired ones included')
    .argument('<contribution>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const grants = await runtime.chain().grantsOf(idArgument<ContributionId>(id, 'contribution'));
      const coin = await runtime.coin();
      const lines = grants.flatMap((grant) => [headOf(grant, runtime), ...explained(grant, coin)]);
      runtime.terminal.result({ grants }, lines.length === 0 ? ['none yet'] : lines);
    });
  consent
    .command('offer')
    .description('what a grant allows, in ODRL 2.2')
    .argument('<grant>')
    .option('--out <file>')
    .action(async (id: string, { out }: { out?: string }, command) => {
      const runtime = open(command);
      const document = await runtime.client().grants.offer(idArgument<GrantId>(id, 'grant'));
      printDocument(runtime.terminal, { name: 'offer', document, out });
    });
  addConsentReceipt(consent, open);
};

/** What was typed, as the chain and every holder will judge it. */
function termsOf({ clock }: Runtime, coin: ChainInfo['coin'], { purpose, floor, days }: GrantOptions): GrantTerms {
  const end = asTimestampMs(clock.nowMs() + integerOf(days, 'days') * DAY_MS);
  // "Time limit on use" is the grant's own end here: --days says it.
  const signed = signable({ purposes: purpose, expiresAtMs: end, timeLimitMs: end });
  if (!signed.ok) throw signed.refusal;
  return {
    ...signed.value,
    kinds: ['rag'],
    protections: ['tee'],
    priceFloorUnits: parseCoins(floor, coin, 'floor'),
    budgetMicroEpsilon: 0n,
  };
}

const timeOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');

const explained = ({ terms }: GrantView, coin: ChainInfo['coin']): string[] =>
  explainTerms(terms, { amount: (units) => formatCoins(units, coin), time: timeOf }).map((line) => `  ${line}`);

function headOf({ id, terms, revokedAtMs }: GrantView, { clock }: Runtime): string {
  if (revokedAtMs !== null) return `${id}  revoked ${timeOf(revokedAtMs)}`;
  return `${id}  ${terms.expiresAtMs <= clock.nowMs() ? 'expired' : 'active'}`;
}
