import {
  asAmount,
  asTimestampMs,
  type DatasetId,
  type HolderSetId,
  type LicenceId,
  type SignerId,
} from '@usufruct/kernel';
import {
  ALL_ROLES,
  LIMITS,
  ROLES,
  type LicenceTerms,
  type ProposalEffect,
  type ProposalEffectKind,
} from '@usufruct/protocol';
import type { DaoRecord } from '../../../apps/local-chain/src/machine/collections.js';
import type { NeededEffect, Play } from '../play/actor.js';
import { EVERYBODY, MINUTE_MS, PAYEES, word } from '../play/cast.js';
import { EFFECT_TWISTS } from './effect-refusals.js';
import { governanceOf, payoutRulesOf } from './governance.js';
import { membersOf, outsiderOf } from './members.js';
import { KINDS as COMPUTATIONS, MEASUREMENTS, policyOf, PROTECTIONS, PURPOSES } from './policy.js';
import { signerKeysOf, signersOf } from './signers.js';

/** With remainders, one that leaves half a unit, and nothing. */
const LICENCE_PRICES = [1_000_001n, 3n, 25n, 0n];
/** What is proposed by chance: more than once what a scenario has more of. */
const KINDS: readonly ProposalEffectKind[] = [
  'setPrice',
  'setPurposes',
  'setSplit',
  'approveMeasurement',
  'withdrawMeasurement',
  'setVerifiers',
  'setTerms',
  'setGovernance',
  'setPayoutRules',
  'spendTreasury',
  'spendTreasury',
  'setRoles',
  'unpause',
  'registerSigner',
  'registerSigner',
  'withdrawSigner',
  'tombstoneDataset',
  'offerLicence',
  'offerLicence',
  'withdrawLicenceOffer',
  'writeOffReceipts',
];

/** What somebody of the DAO could propose; with a twist or in a way as `effect-refusals.ts` names them. */
export function effectOf(play: Play, dao: DaoRecord, twist: string | null): ProposalEffect {
  const { kind, way = null } = twist !== null && twist in EFFECT_TWISTS ? wrong(twist) : effectNow(play, dao);
  return MAKERS[kind](play, dao, way);
}

const wrong = (twist: string): NeededEffect => ({ kind: EFFECT_TWISTS[twist]!, way: twist });

/** Mostly what the scenario needs next, where it needs any. */
function effectNow(play: Play, dao: DaoRecord): NeededEffect {
  const { random, needs } = play;
  if (dao.paused && needs.effects === undefined && random.chance(0.7)) return { kind: 'unpause' };
  const next = random.chance(0.9) ? nextNeeded(play, dao) : null;
  return next ?? { kind: random.pick(KINDS) };
}

/** The first that was not executed in this DAO as often as it is needed; one that is to be refused always. */
export function nextNeeded({ ledger, needs }: Play, { id }: Pick<DaoRecord, 'id'>): NeededEffect | null {
  const executed = ledger.all('proposal').filter(({ daoId, executedAtMs }) => daoId === id && executedAtMs !== null);
  const effects = needs.effects ?? [];
  const isOwed = ({ kind }: NeededEffect, i: number): boolean => {
    const needed = effects.slice(0, i + 1).filter((one) => one.kind === kind).length;
    return executed.filter(({ effect }) => effect.kind === kind).length < needed;
  };
  const last = effects.at(-1);
  return effects.find(isOwed) ?? (last?.way === undefined ? null : last);
}

type Maker = (play: Play, dao: DaoRecord, way: string | null) => ProposalEffect;

const MAKERS: { readonly [K in ProposalEffectKind]: Maker } = {
  setPrice: (play) => ({ kind: 'setPrice', pricePerQuestionUnits: somePolicy(play, null).pricePerQuestionUnits }),
  setPurposes: (play, _dao, way) => ({ kind: 'setPurposes', purposes: [...somePolicy(play, way).purposes] }),
  setSplit: (play, _dao, way) => ({ kind: 'setSplit', split: somePolicy(play, way).split }),
  approveMeasurement: (play, dao, way) => ({ kind: 'approveMeasurement', measurement: measurementOf(play, dao, way) }),
  withdrawMeasurement: (play, dao, way) => ({
    kind: 'withdrawMeasurement',
    measurement: measurementOf(play, dao, way),
  }),
  setVerifiers: (play, _dao, way) => {
    const { random } = play;
    const { holderSetId, verifierThreshold } = somePolicy(play, way);
    if (way !== null) return { kind: 'setVerifiers', holderSetId, verifierThreshold };
    return {
      kind: 'setVerifiers',
      holderSetId: random.chance(0.85) ? holderSetId : word<HolderSetId>('unknown holder set'),
      verifierThreshold: random.chance(0.8) ? verifierThreshold : random.int(verifierThreshold, 5),
    };
  },
  setTerms: (play, _dao, way) => {
    const { kinds, protections, maxJobTermMs, appraisal } = somePolicy(play, way);
    const { profiles, resultTermMs } = appraisal;
    const copies = { kinds: [...kinds], protections: [...protections], profiles: [...profiles] };
    return { kind: 'setTerms', ...copies, resultTermMs, maxJobTermMs };
  },
  setGovernance: (play, _dao, way) => ({ kind: 'setGovernance', governance: governanceOf(play, way) }),
  setPayoutRules: (play, _dao, way) => ({ kind: 'setPayoutRules', payoutRules: payoutRulesOf(play, way) }),
  spendTreasury: ({ ledger, random }, dao, way) => {
    const held = ledger.balanceOf(dao.treasury);
    const some = random.pick([1n, held / 2n, held, held + 1n]) || 1n;
    const amount = way === 'nothing' ? 0n : way === 'more than there is' ? held + 1n : some;
    return { kind: 'spendTreasury', to: random.pick(EVERYBODY), amountUnits: asAmount(amount) };
  },
  setRoles: rolesOf,
  unpause: () => ({ kind: 'unpause' }),
  registerSigner: (play, dao, way) => ({
    kind: 'registerSigner',
    ...signerKeysOf(play, dao.id, way),
    payTo: play.random.pick(PAYEES),
  }),
  withdrawSigner: (play, { id }, way) => {
    const { random } = play;
    const signers = signersOf(play, id).filter((one) => (one.withdrawnAtMs !== null) === (way === 'withdrawn signer'));
    const isKnown = signers.length > 0 && way !== 'unknown signer' && (way !== null || random.chance(0.8));
    return { kind: 'withdrawSigner', signerId: isKnown ? random.pick(signers).id : word<SignerId>('unknown signer') };
  },
  tombstoneDataset: (play, dao, way) => ({ kind: 'tombstoneDataset', datasetId: datasetOf(play, dao, way) }),
  offerLicence: (play, dao, way) => ({ kind: 'offerLicence', terms: licenceTermsOf(play, dao, way) }),
  withdrawLicenceOffer: ({ ledger, random }, { id }, way) => {
    const isWithdrawn = way === 'withdrawn offer';
    const offers = ledger
      .all('licence-offer')
      .filter(({ daoId, withdrawnAtMs }) => daoId === id && (withdrawnAtMs !== null) === isWithdrawn);
    const isKnown = offers.length > 0 && way !== 'unknown offer' && (way !== null || random.chance(0.8));
    return {
      kind: 'withdrawLicenceOffer',
      offerId: isKnown ? random.pick(offers).id : word<LicenceId>('unknown offer'),
    };
  },
  writeOffReceipts: writeOffOf,
  setDataRules: (play) => {
    const { onRevocation, blobs, selfQueriesPay } = somePolicy(play, null);
    return { kind: 'setDataRules', onRevocation, blobs, selfQueriesPay };
  },
};

/** Mostly the next ones, once they are old enough. */
function writeOffOf({ ledger, random }: Play, { id }: DaoRecord, way: string | null): ProposalEffect {
  const kind = 'writeOffReceipts';
  const pool = ledger.read('receipt-pool', id);
  const [covered, count] = [pool?.coveredReceipts ?? 0n, pool?.receiptCount ?? 0n];
  const last = ledger.read('pool-mark', `${id}/${count}`);
  if (way === 'receipt zero') return { kind, fromReceipt: 0n, toReceipt: 1n };
  if (way === 'receipts backwards') return { kind, fromReceipt: covered + 2n, toReceipt: covered + 1n };
  if (way === 'receipts left out') return { kind, fromReceipt: covered + 2n, toReceipt: covered + 2n };
  if (way === 'receipts to come') return { kind, fromReceipt: covered + 1n, toReceipt: count + 1n };
  if (way === 'receipts in an epoch') return { kind, fromReceipt: 1n, toReceipt: count || 1n };
  if (way === null && last !== undefined && covered < count && random.chance(0.9)) {
    ledger.nowMs = asTimestampMs(Math.max(ledger.nowMs, last.settledAtMs + LIMITS.writeOffAfterMs));
  }
  const some = covered < count ? random.pick([covered + 1n, count]) : covered + 1n;
  return { kind, fromReceipt: covered + 1n, toReceipt: way === null ? some : covered + 1n };
}

function somePolicy(play: Play, way: string | null): ReturnType<typeof policyOf> {
  const set = play.random.pick(play.ledger.all('holder-set'));
  return policyOf(play, set.id, set.members.length, way);
}

function measurementOf(play: Play, { policy }: DaoRecord, way: string | null): string {
  const { random } = play;
  const approved = policy.appraisal.measurements;
  if (way === 'approved already' || way === 'last measurement') return random.pick(approved);
  if (way === 'not approved') return MEASUREMENTS.find((one) => !approved.includes(one)) ?? '12'.repeat(48);
  return way === null ? random.pick(MEASUREMENTS) : somePolicy(play, way).appraisal.measurements[0]!;
}

function rolesOf(play: Play, { id }: DaoRecord, way: string | null): ProposalEffect {
  const { random } = play;
  const members = membersOf(play, id);
  const administrator = members.find(({ roles }) => (roles & ROLES.administrator) !== 0);
  if (way === 'last administrator' && administrator !== undefined) {
    return { kind: 'setRoles', member: administrator.address, roles: ROLES.steward };
  }
  const known = random.pick(random.chance(0.8) ? members.map(({ address }) => address) : EVERYBODY);
  const member = way === 'nobody’s role' ? outsiderOf(play, id) : known;
  return { kind: 'setRoles', member, roles: way === 'unknown role' ? ALL_ROLES + 1 : random.int(0, ALL_ROLES) };
}

/** One of the DAO; by chance sometimes of another one, and sometimes of nobody. */
function datasetOf({ ledger, random }: Play, { id }: DaoRecord, way: string | null): DatasetId {
  const isRetired = way?.endsWith('dataset retired') === true;
  const isOfAnother = way?.endsWith('of another') === true;
  const datasets = ledger
    .all('dataset')
    .filter(({ tombstonedAtMs }) => way === null || (tombstonedAtMs !== null) === isRetired);
  const chosen = random.mostly(datasets, ({ daoId }) => (daoId === id) !== isOfAnother, way === null ? 0.85 : 1);
  const isUnknown = way === null ? random.chance(0.1) : way.endsWith('unknown dataset');
  return chosen === null || isUnknown ? word<DatasetId>('unknown dataset') : chosen.id;
}

function licenceTermsOf(play: Play, dao: DaoRecord, way: string | null): LicenceTerms {
  const { random } = play;
  const termMs = random.pick([1, MINUTE_MS, LIMITS.licenceTermMs]);
  const termOf: Readonly<Record<string, number>> = {
    'no licence term': 0,
    'long licence term': LIMITS.licenceTermMs + 1,
  };
  return {
    datasetId: datasetOf(play, dao, way),
    purpose: way === 'licence purpose code' ? 'research' : random.pick(PURPOSES),
    computation: random.pick(COMPUTATIONS),
    protection: random.pick(PROTECTIONS),
    priceUnits: asAmount(random.pick(LICENCE_PRICES)),
    termMs: termOf[way ?? ''] ?? termMs,
  };
}
