import { resolve } from 'node:path';
import { toUsufructError, UsufructError, type ContributionId } from '@usufruct/kernel';
import { toWireJson, type Payout } from '@usufruct/protocol';
import type { Asked, JobSession } from '@usufruct/sdk';
import { settle, tellBalances, type Line } from './balances.js';
import { CLINIC, CONTRIBUTORS, COOPERATIVE, ENTERPRISE, FAUCET_UNITS, FOUNDER, GROWERS, QUESTION } from './cast.js';
import { readEndpoints, type Endpoints } from './endpoints.js';
import { newParty, type Party } from './party.js';
import {
  ask,
  contributeAll,
  found,
  fund,
  paidTo,
  payoutsOf,
  tellAnswer,
  tellReceipt,
  type Contributed,
} from './story.js';
import { right, Teller, units } from './teller.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const NOT_RUNNING = 'The system is not running. In another terminal: npm start\n';

interface Expectation {
  readonly what: string;
  readonly holds: boolean;
}

/** Returns the exit code: 0 when everything came as it must, 1 when not, 4 when the system is not there. */
export async function run(args: readonly string[]): Promise<number> {
  const asJson = args.includes('--json');
  const print = (text: string): void => void process.stdout.write(text);
  try {
    const endpoints = readEndpoints(process.env);
    const { expectations, ...result } = await play(endpoints, new Teller(asJson ? () => undefined : print));
    const ok = expectations.every(({ holds }) => holds);
    if (asJson) print(`${toWireJson({ ok, expectations, ...result })}\n`);
    return ok ? 0 : 1;
  } catch (error) {
    const known = toUsufructError(error);
    if (isAbsent(known)) process.stderr.write(NOT_RUNNING);
    if (asJson) print(`${toWireJson({ ok: false, error: known.toWire() })}\n`);
    else process.stderr.write(`${known.code}: ${known.message}\n`);
    return isAbsent(known) ? 4 : 1;
  }
}

const isAbsent = ({ code, details }: UsufructError): boolean =>
  code === 'CHAIN_UNAVAILABLE' || (code === 'CONFIG_INVALID' && details['setting'] === 'endpoints');

async function play(endpoints: Endpoints, teller: Teller) {
  const founder = newParty(FOUNDER, endpoints);
  const enterprise = newParty(ENTERPRISE, endpoints);
  const contributors = CONTRIBUTORS.map(({ name }) => newParty(name, endpoints));
  await tellWhatIsReal(founder, endpoints, teller);

  teller.chapter(`${FOUNDER} founds a data DAO`);
  const commons = await found(founder, endpoints, teller);
  teller.chapter('Three contributors bring their files, each with a wallet of their own');
  const files = await contributeAll(founder, contributors, commons, ROOT, teller);
  const lines = await openingBalances(founder, enterprise, contributors, commons.dao.treasury);

  teller.chapter(`${ENTERPRISE} pays for a session`);
  const session = await fund(enterprise, commons, teller);
  const runner = await attest(session, founder, teller);
  teller.chapter('It asks what no single contributor could answer');
  const first = await ask(session, QUESTION, 'first', teller);
  tellAnswer(first, files, teller);
  teller.chapter('The receipt, checked here against the chain');
  tellReceipt(first, teller);
  teller.chapter('Who was paid, in units (1 000 000 units are one coin)');
  tellPayouts(payoutsOf(first), contributors, files, teller);

  teller.chapter(`The ${COOPERATIVE.name} revokes its grants, and the same question is asked again`);
  const revoker = contributors[CONTRIBUTORS.indexOf(COOPERATIVE)]!;
  for (const { grantId, owner } of files) if (owner === revoker) await revoker.client.grants.revoke(grantId);
  const second = await ask(session, QUESTION, 'second', teller);
  tellAnswer(second, files, teller);
  teller.line();
  tellPayouts(payoutsOf(second), contributors, files, teller);

  teller.chapter(`The ${CLINIC.name} reads who was given its keys`);
  const releasesVerified = await tellReleases(contributors[0]!, files, teller);

  teller.chapter('The session is closed, the rest comes back, and everything adds up');
  const closed = await session.close();
  const payouts = [...payoutsOf(first), ...payoutsOf(second)];
  const flows = { mintedTo: enterprise.address, mintedUnits: FAUCET_UNITS, payouts };
  const balances = await settle([...lines, runner], founder, flows);
  tellBalances(balances, teller);

  const expectations = expect({ contributors, files, first, second, releasesVerified, balances });
  teller.chapter('What this run has shown');
  for (const { what, holds } of expectations) teller.line(`${holds ? 'yes' : 'NO '}  ${what}`);
  teller.line();
  return {
    expectations,
    daoId: commons.dao.id,
    datasetId: commons.datasetId,
    jobId: closed.id,
    files: files.map(({ owner, ...file }) => ({ ...file, owner: owner.address, ownerName: owner.name })),
    questions: [first, second].map((asked) => ({
      text: QUESTION,
      questionId: asked.questionId,
      answer: asked.answer,
      checks: asked.verdict.checks,
      payouts: payoutsOf(asked),
    })),
    balances,
  };
}

async function tellWhatIsReal({ client }: Party, endpoints: Endpoints, teller: Teller): Promise<void> {
  const { chainId } = await client.chain.info();
  teller.line();
  teller.line(
    'Usufruct: data is used and paid for each time, and API, store and chain see only ciphertext and numbers.',
  );
  teller.line();
  teller.line(`API ${endpoints.apiUrl}, chain ${endpoints.chainUrl} (${chainId})`);
  teller.line('Stand-ins on this machine: the chain (for Sui), the store (for Walrus), the TEE (software, proves');
  teller.line('nothing about hardware) and the wallets (keys in this process). All else is what would run elsewhere:');
  teller.line('encryption, sharing of keys, consent, attestation protocol, retrieval, receipts, payouts.');
}

async function openingBalances(
  founder: Party,
  enterprise: Party,
  contributors: readonly Party[],
  treasury: Line['address'],
): Promise<Line[]> {
  const { protocolAccount } = await founder.client.chain.info();
  const before = (address: Line['address']) => founder.client.chain.balanceOf(address);
  return [
    ...contributors.map((party) => ({ name: party.name, address: party.address, beforeUnits: 0n, party })),
    { name: ENTERPRISE, address: enterprise.address, beforeUnits: 0n, party: enterprise },
    { name: 'Treasury of the DAO', address: treasury, beforeUnits: 0n, party: founder },
    { name: 'Protocol', address: protocolAccount, beforeUnits: await before(protocolAccount), party: null },
  ];
}

/** Appraise the runner, and note what it owns before anything is asked. */
async function attest(session: JobSession, reader: Party, teller: Teller): Promise<Line> {
  const { claims, result, runner } = await session.attest();
  const passedChecks = result.checks.filter(({ status }) => status === 'passed').length;
  teller.line(`A runner took it. Its evidence, checked here: ${passedChecks} checks passed, measurement`);
  teller.line(`${claims.measurement.slice(0, 48)}… as the DAO approved${claims.standIn ? ' (software TEE)' : ''}.`);
  const beforeUnits = await reader.client.chain.balanceOf(runner.payTo);
  return { name: 'Runner', address: runner.payTo, beforeUnits, party: null };
}

const idsOf = (files: readonly Contributed[], party: Party): ContributionId[] =>
  files.filter(({ owner }) => owner === party).map(({ contributionId }) => contributionId);

function tellPayouts(
  payouts: readonly Payout[],
  contributors: readonly Party[],
  files: readonly Contributed[],
  teller: Teller,
): void {
  const rows = contributors.map((party) => [party.name, paidTo(payouts, idsOf(files, party))] as const);
  const others = payouts
    .filter(({ role }) => role !== 'contributor')
    .map(({ role, amountUnits }) => [role, amountUnits] as const);
  const total = payouts.reduce((sum, { amountUnits }) => sum + amountUnits, 0n);
  const all = [...rows, ...others, ['together: the price', total] as const];
  teller.table(all.map(([name, amount]) => [name, right(units(amount), 12)]));
}

async function tellReleases(clinic: Party, files: readonly Contributed[], teller: Teller): Promise<boolean> {
  let verified = true;
  for (const { fileName, contributionId } of files.filter(({ owner }) => owner === clinic)) {
    const holders = await clinic.client.contributions.releases(contributionId);
    verified &&= holders.filter(({ entries, verdict }) => verdict.ok && entries.length > 0).length >= 2;
    for (const { member, entries, verdict, error } of holders) {
      const released = entries.filter(({ decision }) => decision === 'RELEASED').length;
      const log =
        error === null ? `released ${released} time(s), log ${verdict.ok ? 'verified' : 'NOT VERIFIED'}` : error.code;
      teller.line(`${fileName.padEnd(24)} key holder ${member + 1}: ${log}`);
    }
  }
  return verified;
}

interface Outcome {
  readonly contributors: readonly Party[];
  readonly files: readonly Contributed[];
  readonly first: Asked;
  readonly second: Asked;
  readonly releasesVerified: boolean;
  readonly balances: Awaited<ReturnType<typeof settle>>;
}

function expect({ contributors, files, first, second, releasesVerified, balances }: Outcome): Expectation[] {
  const by = (role: { readonly name: string }): ContributionId[] =>
    idsOf(
      files,
      contributors.find(({ name }) => name === role.name)!,
    );
  const cites = ({ answer }: Asked, role: { readonly name: string }): boolean =>
    answer.citations.some(({ contributionId }) => by(role).includes(contributionId));
  const paid = (asked: Asked, role: { readonly name: string }): bigint => paidTo(payoutsOf(asked), by(role));
  return [
    {
      what: `the answer needed ${CLINIC.name} and ${COOPERATIVE.name}`,
      holds: cites(first, CLINIC) && cites(first, COOPERATIVE),
    },
    { what: 'both were paid', holds: paid(first, CLINIC) > 0n && paid(first, COOPERATIVE) > 0n },
    { what: `${GROWERS.name}, unused, got nothing`, holds: paid(first, GROWERS) + paid(second, GROWERS) === 0n },
    {
      what: 'every check of both receipts passed',
      holds: [first, second].every(({ verdict }) => verdict.checks.every(({ status }) => status === 'passed')),
    },
    {
      what: 'after the revocation the revoked files were neither cited nor paid',
      holds: !cites(second, COOPERATIVE) && paid(second, COOPERATIVE) === 0n,
    },
    { what: 'at least two key holders show a verified log of their releases', holds: releasesVerified },
    {
      what: 'every balance is what the receipts say, to the unit',
      holds: balances.every((line) => line.changeUnits === line.expectedUnits),
    },
    {
      what: "the API's double-entry ledger agrees with the chain, for every party",
      holds: balances.every(({ ledgerAgrees }) => ledgerAgrees !== false),
    },
  ];
}
