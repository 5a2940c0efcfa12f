import {
  checkThat,
  failed,
  fromBase64,
  passed,
  skipped,
  sumUnits,
  verdictOf,
  UsufructError,
  type Check,
  type Verdict,
} from '@usufruct/kernel';
import { payoutsOf, privatePayoutsOf, type PayoutTerms } from '@usufruct/ledger';
import {
  answerResultBytes,
  KEY_MODE_WORDS,
  NO_EVIDENCE,
  receiptDigest,
  resultCommitment,
  TAGS,
  toWireJson,
  UsageReceiptBcs,
  usesCommitment,
  type ChainEventData,
  type Payout,
  type UsageReceipt,
  type Use,
} from '@usufruct/protocol';
import { ASKED_CHECKS, checkAsked } from './asked.js';
import type { ReceiptEvidence } from './evidence.js';
import { checkIds, checkRunner, checkSignature } from './signer-checks.js';

/** Every check, in the order in which it is made; with the question at hand `ASKED_CHECKS` follow. */
export const RECEIPT_CHECKS = [
  'ENCODING',
  'SIGNATURE',
  'RUNNER_REGISTERED',
  'EVIDENCE',
  'CHAIN',
  'PACKAGE',
  'REGISTRY',
  'JOB',
  'PRICE',
  'USES_COMMITMENT',
  'RESULT_COMMITMENT',
  'SETTLED',
  'PAYOUTS_ADD_UP',
  'PAYOUTS_BY_WEIGHT',
] as const;
export type ReceiptCheck = (typeof RECEIPT_CHECKS)[number];

type SettledInPublic = Extract<ChainEventData, { type: 'ReceiptSettled' }>;
type SettledPrivately = Extract<ChainEventData, { type: 'ReceiptSettledPrivately' }>;
type Settled = SettledInPublic | SettledPrivately;

/**
 * Verify a receipt against what the chain says. Needs no network. A failed check is data and never thrown.
 *
 * It proves that a registered runner signed exactly this for this job on this chain, that the answer and the list of
 * uses are those it committed to, and that the chain paid what the DAO's split and the weights say. It does not prove
 * that the weights are fair or the answer right, nor (offline) that the views came from the chain. Where the DAO pays in
 * epochs, uses and weights are private: what hangs on them is skipped with that reason, and what was set aside for the
 * contributors is checked as a whole. Where the evidence says what was asked, the receipt is held against that, too.
 */
export async function verifyReceipt(evidence: ReceiptEvidence): Promise<Verdict> {
  const receipt = decodeReceipt(evidence.receipt);
  if (receipt === null) {
    const names = [...RECEIPT_CHECKS.slice(1), ...(evidence.asked === undefined ? [] : ASKED_CHECKS)];
    const rest = names.map((name) => skipped(name, 'the receipt could not be parsed'));
    return verdictOf([failed('ENCODING', 'not a canonical receipt'), ...rest]);
  }
  const settled = settledEvent(evidence, receipt);
  return verdictOf([
    passed('ENCODING'),
    await checkSignature(receipt, {
      signed: evidence.receipt,
      signature: evidence.signature,
      domainTag: TAGS.receipt,
    }),
    checkSigner(evidence, receipt),
    checkEvidence(receipt),
    ...checkIds(receipt, evidence),
    checkPrice(evidence, receipt),
    checkUses(evidence, receipt, settled),
    checkResult(evidence, receipt),
    checkSettled(evidence, receipt, settled),
    ...checkPayouts(evidence, receipt, settled),
    ...(evidence.asked === undefined ? [] : checkAsked(evidence.asked, receipt, evidence.answer)),
  ]);
}

export function decodeReceipt(base64: string): UsageReceipt | null {
  try {
    const bytes = fromBase64(base64);
    const receipt = UsageReceiptBcs.parse(bytes);
    const again = UsageReceiptBcs.serialize(receipt).toBytes();
    return again.length === bytes.length && again.every((byte, i) => byte === bytes[i]) ? receipt : null;
  } catch {
    return null;
  }
}

/** Only runners sign what can be judged here. */
function checkSigner(evidence: ReceiptEvidence, receipt: UsageReceipt): Check {
  const name: ReceiptCheck = 'RUNNER_REGISTERED';
  if (receipt.signerKind !== 'tee') return failed(name, `no verifier for signers of kind ${receipt.signerKind}`);
  return checkRunner('receipt', receipt, evidence);
}

/** Which evidence the key holders were shown. Keys of the weaker mode are given for none, so none is never passed. */
function checkEvidence({ evidenceDigest }: UsageReceipt): Check {
  const name: ReceiptCheck = 'EVIDENCE';
  if (evidenceDigest !== NO_EVIDENCE) return passed(name, `digest ${evidenceDigest.slice(0, 18)}…`);
  return skipped(name, `no key came from key holders; what was used was under ${KEY_MODE_WORDS.seal}`);
}

/** A question that used nobody's data costs nothing. */
const checkPrice = ({ job }: ReceiptEvidence, { priceUnits }: UsageReceipt): Check =>
  checkThat(
    'PRICE',
    priceUnits === job.pricePerQuestionUnits || priceUnits === 0n,
    'neither the price of the job nor zero',
    `${priceUnits} units`,
  );

/** The list that the asker was given opens the commitment, and is the list that the chain paid by. */
function checkUses({ answer, job }: ReceiptEvidence, receipt: UsageReceipt, settled: Settled | null): Check {
  const name: ReceiptCheck = 'USES_COMMITMENT';
  if (answer === null) return skipped(name, 'only who asked holds the opening');
  const { uses, usesSalt } = answer;
  if (uses === null || usesSalt === null) {
    if (job.payoutMode === 'epoch') return skipped(name, 'private: only the key holders and the DAO’s runners hold it');
    return failed(name, 'the list of uses was kept back');
  }
  if (usesCommitment(usesSalt, uses) !== receipt.usesCommitment) {
    return failed(name, 'the list of uses is not the one that was committed to');
  }
  const isPaidList = settled?.type !== 'ReceiptSettled' || toWireJson(settled.uses) === toWireJson(uses);
  return checkThat(name, isPaidList, 'the chain was given another list', `${uses.length} contributions`);
}

function checkResult({ answer }: ReceiptEvidence, receipt: UsageReceipt): Check {
  const name: ReceiptCheck = 'RESULT_COMMITMENT';
  if (answer === null) return skipped(name, 'only who asked holds the opening');
  const committed = resultCommitment(answer.resultSalt, answerResultBytes(answer));
  return checkThat(name, committed === receipt.resultCommitment, 'the answer is not the one that was committed to');
}

function settledEvent({ settlement }: ReceiptEvidence, receipt: UsageReceipt): Settled | null {
  if (settlement?.status !== 'succeeded') return null;
  for (const { data } of settlement.events) {
    const isSettlement = data.type === 'ReceiptSettled' || data.type === 'ReceiptSettledPrivately';
    if (isSettlement && data.jobId === receipt.jobId && data.questionId === receipt.questionId) return data;
  }
  return null;
}

function checkSettled(
  { settlement, receipt, job }: ReceiptEvidence,
  parsed: UsageReceipt,
  settled: Settled | null,
): Check {
  const name: ReceiptCheck = 'SETTLED';
  if (settlement === null) return failed(name, 'the chain has not settled it');
  if (settled === null) return failed(name, 'the transaction did not settle this question');
  if ((settled.type === 'ReceiptSettledPrivately') !== (job.payoutMode === 'epoch')) {
    return failed(name, 'it was settled in another mode than the job was funded in');
  }
  const isSame =
    settled.receiptDigest === receiptDigest(fromBase64(receipt)) && settled.priceUnits === parsed.priceUnits;
  return checkThat(
    name,
    isSame,
    'the chain settled another receipt for this question',
    `transaction ${settlement.digest}`,
  );
}

function checkPayouts(evidence: ReceiptEvidence, receipt: UsageReceipt, settled: Settled | null): Check[] {
  if (settled === null) {
    const reason = 'nothing was paid yet';
    return [skipped('PAYOUTS_ADD_UP', reason), skipped('PAYOUTS_BY_WEIGHT', reason)];
  }
  const amounts = settled.payouts.map(({ amountUnits }) => amountUnits);
  const paid = sumUnits(settled.type === 'ReceiptSettled' ? amounts : [...amounts, settled.pooledUnits]);
  return [
    checkThat('PAYOUTS_ADD_UP', paid === receipt.priceUnits, `${paid} units were paid`, `${paid} units`),
    checkAllocation(evidence, receipt, settled),
  ];
}

/** Divide the price again, by the split that the job was funded under, and compare to the unit. */
function checkAllocation(evidence: ReceiptEvidence, receipt: UsageReceipt, settled: Settled): Check {
  const { dao, job, runner, chain } = evidence;
  const name: ReceiptCheck = 'PAYOUTS_BY_WEIGHT';
  if (runner === null) return skipped(name, 'where the runner is paid is not known');
  const accounts = { treasury: dao.treasury, runner: runner.payTo, protocol: chain.protocolAccount };
  const terms = { priceUnits: receipt.priceUnits, split: job.split, ...accounts };
  try {
    if (settled.type === 'ReceiptSettledPrivately') return checkSetAside(name, terms, settled);
    const uses = settled.uses.map((use) => ({ ...use, owner: ownerOf(evidence.owners, use) }));
    const isSame = samePayouts(payoutsOf(terms, uses), settled.payouts);
    return checkThat(name, isSame, 'the amounts are not what split and weights give');
  } catch (error) {
    if (error instanceof UsufructError) return failed(name, error.message);
    throw error;
  }
}

/** The split can be checked, the weights cannot: never passed. */
function checkSetAside(name: ReceiptCheck, terms: PayoutTerms, settled: SettledPrivately): Check {
  const { pooledUnits, payouts } = privatePayoutsOf(terms);
  if (pooledUnits !== settled.pooledUnits || !samePayouts(payouts, settled.payouts)) {
    return failed(name, 'the amounts are not what the split gives');
  }
  return skipped(name, `the split is right; weights are private, ${pooledUnits} units wait for an epoch`);
}

function ownerOf(owners: ReceiptEvidence['owners'], use: Use): ReceiptEvidence['owners'][number]['owner'] {
  const known = owners.find(({ contributionId }) => contributionId === use.contributionId);
  if (known === undefined) throw new UsufructError('RECEIPT_INVALID', { check: 'owner of a used contribution' });
  return known.owner;
}

function samePayouts(expected: readonly Payout[], paid: readonly Payout[]): boolean {
  const lines = (payouts: readonly Payout[]): string =>
    payouts
      .map(({ account, role, contributionId, amountUnits }) => [role, contributionId, account, amountUnits].join(' '))
      .sort()
      .join('\n');
  return lines(expected) === lines(paid);
}
