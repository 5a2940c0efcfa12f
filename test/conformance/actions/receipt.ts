import { sign } from '@usufruct/crypto';
import { toHex } from '@usufruct/kernel';
import { TAGS, UsageReceiptBcs, type PayoutMode } from '@usufruct/protocol';
import type { Actor, Play } from '../play/actor.js';
import { RUNNER_KEYS, STRANGER, wordBytes } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { planOf, receiptOf, USES_SALT, type ReceiptPlan } from './receipt-plan.js';
import { USE_TWISTS } from './uses.js';

/** What a signature is over, changed so that the receipt is refused. */
const RECEIPT_TWISTS = [
  'malformed',
  'other chain',
  'other package',
  'other registry',
  'other job',
  'again',
  'future',
  'before the job',
  'stale',
  'after the term',
  'signer kind',
  'unknown runner',
  'measurement',
  'profile',
  'closed',
  'price',
  'mode',
  'signature',
  'paused',
];

const VERIFIED_REFUSALS: Actor['refusals'] = {
  'RECEIPT_INVALID encoding': ['usage_receipt::EReceiptMalformed'],
  'RECEIPT_INVALID chainId': ['usage_receipt::EReceiptElsewhere'],
  'RECEIPT_INVALID packageId': ['usage_receipt::EReceiptElsewhere'],
  'RECEIPT_INVALID registryId': ['usage_receipt::EReceiptElsewhere'],
  DAO_PAUSED: ['data_dao::EPaused'],
  'NOT_FOUND job': ['usage_receipt::EWrongJob'],
  RECEIPT_CONSUMED: ['job::EReceiptConsumed'],
  JOB_EXPIRED: ['job::EExpired'],
  JOB_STATE: ['job::EClosed'],
  'RECEIPT_INVALID issuedAtMs': ['usage_receipt::EReceiptTime'],
  'RECEIPT_INVALID freshness': ['usage_receipt::EReceiptStale'],
  'RECEIPT_INVALID signerKind': ['usage_receipt::ESignerKind'],
  'RUNNER_NOT_REGISTERED registered': ['runner_registry::ENotRegistered'],
  'RUNNER_NOT_REGISTERED expired': ['runner_registry::ERegistrationExpired'],
  'RUNNER_NOT_REGISTERED measurement': ['runner_registry::EMeasurementRefused'],
  'RUNNER_NOT_REGISTERED profile': ['runner_registry::EProfileRefused'],
  'RECEIPT_INVALID signature': ['usage_receipt::EReceiptSignature'],
  'RECEIPT_INVALID payoutMode': ['usage_receipt::EPayoutMode'],
  'RECEIPT_INVALID price': ['usage_receipt::EPrice'],
};

export const settleReceipt: Actor = {
  kind: 'settleReceipt',
  mode: 'direct',
  weight: 8,
  twists: [...RECEIPT_TWISTS, ...USE_TWISTS, 'commitment'],
  prepare: ['registerContribution', 'decideContribution', 'giveGrant', 'registerRunner', 'mint', 'fundJob'],
  before: {
    mode: ['mint', 'fundJob'],
    budget: ['settleReceipt', 'settleReceipt'],
    paused: ['mint', 'fundJob', 'registerRunner', 'pauseDao'],
    purpose: ['giveGrant', 'giveGrant'],
    protection: ['giveGrant', 'giveGrant'],
    computation: ['giveGrant', 'giveGrant'],
    floor: ['giveGrant', 'giveGrant'],
    again: ['settleReceipt'],
    closed: ['closeJob'],
    measurement: ['setPolicy'],
    profile: ['setPolicy'],
    revoked: ['revokeGrant'],
    tombstoned: ['tombstoneContribution'],
    'not accepted': ['registerContribution', 'giveGrant'],
    'other dataset': ['createDataset', 'registerContribution', 'giveGrant'],
  },
  async attempt(play, twist) {
    const sent = await signedReceipt(play, 'direct', twist);
    if (sent === null) return null;
    const { job, receipt, signature, uses } = sent;
    const call = move.call(
      'settle_receipt',
      ...[STRANGER, job.daoId, job.datasetId, job.id].map(move.address),
      move.bytes(receipt),
      move.bytes(signature),
      move.address(USES_SALT),
      move.list(uses.map(({ contributionId }) => move.address(contributionId))),
      move.list(uses.map(({ grantId }) => move.address(grantId))),
      move.list(uses.map(({ weight }) => move.number(weight))),
    );
    return { sender: STRANGER, action: { kind: 'settleReceipt', receipt, signature, usesSalt: USES_SALT, uses }, call };
  },
  refusals: {
    ...VERIFIED_REFUSALS,
    'RECEIPT_INVALID count': ['data_use::EUseLists'],
    'RECEIPT_INVALID uses': ['data_use::EUsesCommitment'],
    'RECEIPT_INVALID order': ['data_use::EUsesOrder'],
    'RECEIPT_INVALID weights': ['data_use::EUsesWeight'],
    // The contracts look for contributions inside the job's dataset only.
    'NOT_FOUND contribution': ['contribution::ENoContribution'],
    DATASET_MISMATCH: ['contribution::ENoContribution'],
    CONTRIBUTION_NOT_ACCEPTED: ['grant::ENotAccepted'],
    TOMBSTONED: ['contribution::ETombstoned'],
    GRANT_REQUIRED: ['grant::EGrantRequired'],
    GRANT_REVOKED: ['grant::ERevoked'],
    GRANT_EXPIRED: ['grant::EExpired'],
    PURPOSE_DENIED: ['grant_terms::EPurposeDenied'],
    'SCOPE_MISMATCH kind': ['grant_terms::EKindDenied'],
    'SCOPE_MISMATCH protection': ['grant_terms::EProtectionDenied'],
    PRICE_BELOW_FLOOR: ['grant_terms::EPriceBelowFloor'],
    BUDGET_EXHAUSTED: ['grant::EBudgetExhausted'],
  },
};

/** Without its uses: nobody sees them, so nobody checks them here. */
export const settlePrivately: Actor = {
  kind: 'settlePrivately',
  mode: 'epoch',
  weight: 4,
  twists: RECEIPT_TWISTS,
  prepare: ['registerRunner', 'mint', 'fundJob'],
  before: {
    paused: ['mint', 'fundJob', 'registerRunner', 'pauseDao'],
    again: ['settlePrivately'],
    closed: ['closeJob'],
    measurement: ['setPolicy'],
    profile: ['setPolicy'],
  },
  async attempt(play, twist) {
    const sent = await signedReceipt(play, 'epoch', twist);
    if (sent === null) return null;
    const { job, receipt, signature } = sent;
    const ids = [STRANGER, job.daoId, job.datasetId, job.id].map(move.address);
    const call = move.call('settle_privately', ...ids, move.bytes(receipt), move.bytes(signature));
    return { sender: STRANGER, action: { kind: 'settlePrivately', receipt, signature }, call };
  },
  refusals: VERIFIED_REFUSALS,
};

interface Sent extends ReceiptPlan {
  readonly receipt: Uint8Array;
  readonly signature: Uint8Array;
}

async function signedReceipt(play: Play, mode: PayoutMode, twist: string | null): Promise<Sent | null> {
  const plan = planOf(play, mode, twist);
  const fields = plan && receiptOf(play, plan, twist);
  if (plan === null || fields === null) return null;
  const encoded = UsageReceiptBcs.serialize(fields).toBytes();
  const receipt = twist === 'malformed' ? Uint8Array.of(...encoded, 0) : encoded;
  const known = RUNNER_KEYS.find(({ publicKey }) => toHex(publicKey) === toHex(fields.signerPublicKey));
  const secretKey = twist === 'signature' || known === undefined ? wordBytes('nobody') : known.secretKey;
  return { ...plan, receipt, signature: await sign({ secretKey, domainTag: TAGS.receipt, message: receipt }) };
}
