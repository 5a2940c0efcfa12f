import { sign } from '@usufruct/crypto';
import { concatBytes } from '@usufruct/kernel';
import {
  OpeningAckBcs,
  receiptDigest,
  TAGS,
  UsageReceiptBcs,
  type ChainActionKind,
  type PayoutMode,
} from '@usufruct/protocol';
import type { Actor, Play } from '../play/actor.js';
import { CHAIN, STRANGER } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { MEMBER_TWISTS, signaturesOf } from './member-signatures.js';
import { planOf, receiptOf, USES_SALT, type ReceiptPlan } from './receipt-plan.js';
import { SIGNER_MEETS, SIGNER_TWISTS, SIGNER_WAYS, signingNeeds } from './receipt-signer.js';
import { USE_MEETS, USE_TWISTS } from './uses.js';
import { DECIDED, RETIRED, retirementFor } from './voting.js';

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
  'closed',
  'expired',
  'price',
  'mode',
  'signature',
  'paused',
  RETIRED,
];

const RECEIPT_MEETS: Actor['meets'] = {
  [RETIRED]: 'TOMBSTONED dataset',
  'after the term': 'JOB_EXPIRED',
  price: 'RECEIPT_INVALID price',
};

/** What must have happened before the twists that both kinds of settlement have. */
const VERIFIED_BEFORE: Actor['before'] = {
  mode: ['mint', 'fundJob'],
  paused: ['mint', 'fundJob', 'registerRunner', 'pauseDao'],
  closed: ['closeJob'],
  expired: ['mint', 'fundJob', 'expireJob'],
  measurement: ['setPolicy'],
  profile: ['setPolicy'],
  'runner expired': ['registerRunner', 'mint', 'fundJob'],
  [RETIRED]: ['mint', 'fundJob', ...DECIDED],
  ...Object.fromEntries([...SIGNER_TWISTS, ...SIGNER_WAYS].flatMap(beforeSigning)),
};

/** The votes that register a signer, and those that withdraw it again; then a job. */
function beforeSigning(twist: string): [string, ChainActionKind[]][] {
  const { effects: owed = [] } = signingNeeds(twist);
  return owed.length === 0 ? [] : [[twist, [...owed.flatMap(() => DECIDED), 'mint', 'fundJob']]];
}

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
  'TOMBSTONED dataset': ['dataset::ETombstoned'],
  'RECEIPT_INVALID issuedAtMs': ['usage_receipt::EReceiptTime'],
  'RECEIPT_INVALID freshness': ['usage_receipt::EReceiptStale'],
  'RECEIPT_INVALID signerKind': ['usage_receipt::ESignerKind'],
  // Runners in one registry, sets and hosts in another.
  'RUNNER_NOT_REGISTERED registered': ['runner_registry::ENotRegistered', 'signers::ENotRegistered'],
  'RUNNER_NOT_REGISTERED withdrawn': ['runner_registry::EWithdrawn', 'signers::EWithdrawn'],
  'RUNNER_NOT_REGISTERED expired': ['runner_registry::ERegistrationExpired'],
  'RUNNER_NOT_REGISTERED measurement': ['runner_registry::EMeasurementRefused'],
  'RUNNER_NOT_REGISTERED profile': ['runner_registry::EProfileRefused'],
  'RECEIPT_INVALID signature': ['usage_receipt::EReceiptSignature'],
  'RECEIPT_INVALID payoutMode': ['usage_receipt::EPayoutMode'],
  'RECEIPT_INVALID price': ['usage_receipt::EPrice'],
};

export const settleReceipt: Actor = {
  kind: 'settleReceipt',
  needs: (twist) => ({ mode: twist === 'mode' ? 'epoch' : 'direct', ...retirementFor(twist), ...signingNeeds(twist) }),
  weight: 8,
  twists: [...RECEIPT_TWISTS, ...SIGNER_TWISTS, ...USE_TWISTS, 'commitment'],
  ways: SIGNER_WAYS,
  meets: { ...RECEIPT_MEETS, ...SIGNER_MEETS, ...USE_MEETS },
  prepare: ['registerContribution', 'decideContribution', 'giveGrant', 'registerRunner', 'mint', 'fundJob'],
  before: {
    budget: ['settleReceipt', 'settleReceipt'],
    purpose: ['giveGrant', 'giveGrant'],
    protection: ['giveGrant', 'giveGrant'],
    computation: ['giveGrant', 'giveGrant'],
    floor: ['giveGrant', 'giveGrant'],
    ...VERIFIED_BEFORE,
    again: ['settleReceipt'],
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
      'stage_jobs::settle_receipt',
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
    'TOMBSTONED contribution': ['contribution::ETombstoned'],
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

/** The runner signs the receipt, holders that they have its opening: these are the ways to be wrong about the latter. */
const ACKNOWLEDGEMENT = 'acknowledgement of ';
const ACK_TWISTS = [...MEMBER_TWISTS.map((twist) => `${ACKNOWLEDGEMENT}${twist}`), `${ACKNOWLEDGEMENT}another receipt`];

/** Without its uses: nobody sees them, so nobody checks them here. */
export const settlePrivately: Actor = {
  kind: 'settlePrivately',
  needs: (twist) => ({ mode: twist === 'mode' ? 'direct' : 'epoch', ...retirementFor(twist), ...signingNeeds(twist) }),
  weight: 4,
  twists: [...RECEIPT_TWISTS, ...SIGNER_TWISTS, 'runner withdrawn', ...ACK_TWISTS],
  ways: SIGNER_WAYS,
  meets: {
    ...RECEIPT_MEETS,
    ...SIGNER_MEETS,
    [`${ACKNOWLEDGEMENT}too few`]: 'FORBIDDEN holders of the set',
    [`${ACKNOWLEDGEMENT}member twice`]: 'INVALID_ARGUMENT signatures',
    [`${ACKNOWLEDGEMENT}no such member`]: 'INVALID_ARGUMENT signatures.member',
    [`${ACKNOWLEDGEMENT}signature`]: 'SIGNATURE_INVALID',
    [`${ACKNOWLEDGEMENT}another receipt`]: 'SIGNATURE_INVALID',
    [`${ACKNOWLEDGEMENT}retired signer`]: 'TOMBSTONED holder',
  },
  prepare: ['registerRunner', 'mint', 'fundJob'],
  before: {
    ...VERIFIED_BEFORE,
    again: ['settlePrivately'],
    [`${ACKNOWLEDGEMENT}retired signer`]: ['mint', 'fundJob', 'tombstoneHolder'],
    'runner withdrawn': ['settlePrivately', 'proposeEpoch', 'proveEquivocation', 'mint', 'fundJob'],
  },
  async attempt(play, twist) {
    const sent = await signedReceipt(play, 'epoch', twist);
    if (sent === null) return null;
    const { job, receipt, signature } = sent;
    const { holderSetId, verifierThreshold: needed } = play.ledger.read('dao', job.daoId)!.policy;
    const set = play.ledger.read('holder-set', holderSetId)!;
    const about = twist === `${ACKNOWLEDGEMENT}another receipt` ? Uint8Array.of(...receipt, 0) : receipt;
    const message = OpeningAckBcs.serialize({
      chainId: CHAIN.chainId,
      daoId: job.daoId,
      receiptDigest: receiptDigest(about),
    }).toBytes();
    const signing = { set, message, domainTag: TAGS.openingAck, needed };
    const ackTwist = twist?.startsWith(ACKNOWLEDGEMENT) === true ? twist.slice(ACKNOWLEDGEMENT.length) : null;
    const acknowledgements = await signaturesOf(play, signing, ackTwist);
    const call = move.call(
      'stage_jobs::settle_privately',
      ...[STRANGER, job.daoId, job.datasetId, job.id, set.id].map(move.address),
      move.bytes(receipt),
      move.bytes(signature),
      ...move.signatures(acknowledgements),
    );
    const action = { kind: 'settlePrivately' as const, receipt, signature, acknowledgements };
    return { sender: STRANGER, action, call };
  },
  refusals: {
    ...VERIFIED_REFUSALS,
    'INVALID_ARGUMENT signatures': ['holder_set::ESignerTwice'],
    'FORBIDDEN holders of the set': ['holder_set::ETooFewSigners'],
    'INVALID_ARGUMENT signatures.member': ['holder_set::ENoSuchMember'],
    'TOMBSTONED holder': ['holder_set::EHolderTombstoned'],
    SIGNATURE_INVALID: ['opening_ack::EAcknowledgement'],
  },
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
  const signing = { domainTag: TAGS.receipt, message: receipt };
  const signatures = await Promise.all(plan.signer.secretKeys.map((secretKey) => sign({ secretKey, ...signing })));
  return { ...plan, receipt, signature: concatBytes(...signatures) };
}
