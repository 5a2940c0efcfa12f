import type { ChainActionKind } from '@usufruct/protocol';

/** A ledger that is wrong in one place. */
export interface BrokenLedger {
  readonly name: string;
  readonly file: string;
  /** Stands there once. */
  readonly from: string;
  readonly to: string;
  /** The action that comes out wrong. */
  readonly kind: ChainActionKind;
  /** The refusal that is missing, or is there when it should not be. */
  readonly refusal?: string;
  /** The twist that meets it, where others meet the same refusal for another reason. */
  readonly twist?: string;
}

const machine = (name: string): string => `apps/local-chain/src/machine/${name}.ts`;

/** Each must be noticed; none of them is caught by the ledger's own invariants. */
export const BROKEN_LEDGERS: readonly BrokenLedger[] = [
  {
    name: 'the unit that is left goes to the smallest remainder',
    file: 'libs/ledger/src/allocate.ts',
    from: 'compareBigints(b.remainder, a.remainder)',
    to: 'compareBigints(a.remainder, b.remainder)',
    kind: 'settleReceipt',
  },
  {
    name: 'between equal remainders the larger address gets the unit',
    file: 'libs/ledger/src/allocate.ts',
    from: 'compareBytes(a.tieKey, b.tieKey)',
    to: 'compareBytes(b.tieKey, a.tieKey)',
    kind: 'settleReceipt',
  },
  {
    name: 'anybody revokes a grant',
    file: machine('grant'),
    from: 'requireSender(room, grant.grantor);',
    to: '',
    kind: 'revokeGrant',
    refusal: 'WRONG_WALLET',
  },
  {
    name: 'anybody closes a job',
    file: machine('job'),
    from: 'requireSender(room, job.requester);',
    to: '',
    kind: 'closeJob',
    refusal: 'WRONG_WALLET',
  },
  {
    name: 'a job expires a millisecond late',
    file: machine('job'),
    from: 'if (room.nowMs < job.expiresAtMs)',
    to: 'if (room.nowMs <= job.expiresAtMs)',
    kind: 'expireJob',
  },
  {
    name: 'a grant covers the moment at which it ends',
    file: machine('uses'),
    from: 'terms.expiresAtMs <= issuedAtMs',
    to: 'terms.expiresAtMs < issuedAtMs',
    kind: 'settleReceipt',
    refusal: 'GRANT_EXPIRED',
  },
  {
    name: 'what is left after the last question stays in the escrow',
    file: machine('receipt'),
    from: "if (questionsSettled === job.maxQuestions) refundAndClose(room, after, 'succeeded');",
    to: '',
    kind: 'settleReceipt',
  },
  {
    name: 'the refund goes to whoever expires the job',
    file: machine('job'),
    from: 'const refundUnits = job.escrowUnits;',
    to: 'const refundUnits = job.escrowUnits; job = { ...job, requester: room.sender };',
    kind: 'expireJob',
  },
  {
    name: 'a question is paid twice',
    file: machine('verified-receipt'),
    from: 'if (settled !== undefined)',
    to: 'if (settled === null)',
    kind: 'settleReceipt',
    refusal: 'RECEIPT_CONSUMED',
  },
  {
    name: 'a privacy budget is never used up',
    file: machine('uses'),
    from: 'if (total > budget)',
    to: 'if (spent > budget)',
    kind: 'settleReceipt',
    refusal: 'BUDGET_EXHAUSTED',
  },
  {
    name: 'one verifier too few is enough',
    file: machine('runner'),
    from: 'if (signatures.length < threshold)',
    to: 'if (signatures.length < threshold - 1)',
    kind: 'registerRunner',
    refusal: 'ATTESTATION_REFUSED verifiers',
  },
  {
    name: 'a log may be rewritten',
    file: machine('holder-set'),
    from: 'known.treeSize === head.treeSize && known.rootHash !== head.rootHash',
    to: 'false',
    kind: 'anchorTreeHead',
    refusal: 'INVALID_ARGUMENT rootHash',
  },
  {
    name: 'a member votes twice',
    file: machine('proposal'),
    from: "if (room.draft.read('vote', key) !== undefined)",
    to: "if (room.draft.read('vote', key) === null)",
    kind: 'vote',
    refusal: 'ALREADY_VOTED',
  },
  {
    name: 'a proposal is executed before its timelock has passed',
    file: machine('proposal'),
    from: "if (proposalState(proposal, room.nowMs) !== 'executable')",
    to: "if (!['executable', 'timelocked'].includes(proposalState(proposal, room.nowMs)))",
    kind: 'executeProposal',
    refusal: 'PROPOSAL_STATE timelocked',
  },
  {
    name: 'a payout is claimed twice',
    file: machine('claim'),
    from: "if (room.draft.read('claim', key) !== undefined)",
    to: "if (room.draft.read('claim', key) === null)",
    kind: 'claimPayout',
    refusal: 'ALREADY_CLAIMED',
  },
  {
    name: 'a lease is renewed to where it ends',
    file: machine('lease'),
    from: 'if (endEpoch <= known.endEpoch)',
    to: 'if (endEpoch < known.endEpoch)',
    kind: 'renewLease',
    refusal: 'INVALID_ARGUMENT renewals.N.endEpoch',
  },
  {
    name: 'a licence is sold at a higher price',
    file: machine('licence'),
    from: 'if (priceUnits !== terms.priceUnits)',
    to: 'if (priceUnits < terms.priceUnits)',
    kind: 'buyLicence',
    refusal: 'INVALID_ARGUMENT priceUnits',
  },
  {
    name: 'the signature of a retired holder counts',
    file: machine('holder-set'),
    from: 'const member = memberAt(set, index, field);\n  requireLivingKey(set, member, index);',
    to: 'const member = memberAt(set, index, field);',
    kind: 'rotateHolderSet',
    refusal: 'TOMBSTONED holder',
    twist: 'retired signer',
  },
  {
    name: 'two of the three parties of a set are enough',
    file: machine('verified-receipt'),
    from: 'if (signature.length !== keys.length * SIGNATURE_BYTES) return false;\n  for (const [i, publicKey] of keys.entries()) {',
    to: 'if (signature.length < SIGNATURE_BYTES) return false;\n  for (const [i, publicKey] of keys.slice(0, 2).entries()) {',
    kind: 'settleReceipt',
    refusal: 'RECEIPT_INVALID signature',
    twist: 'a party missing',
  },
  {
    name: 'a host signs on after it was withdrawn',
    file: machine('signer'),
    from: "if (signer.withdrawnAtMs !== null) throw refuse('RUNNER_NOT_REGISTERED', { check: 'withdrawn' });",
    to: '',
    kind: 'settlePrivately',
    refusal: 'RUNNER_NOT_REGISTERED withdrawn',
    twist: 'withdrawn host',
  },
  {
    name: 'a retired dataset takes new jobs',
    file: machine('job'),
    from: 'requireLiving(dataset);',
    to: '',
    kind: 'fundJob',
    refusal: 'TOMBSTONED dataset',
  },
  {
    name: 'a dataset is retired again, later',
    file: machine('tombstone'),
    from: 'const dataset = datasetOf(room, daoId, datasetId);\n    requireLiving(dataset);',
    to: 'const dataset = datasetOf(room, daoId, datasetId);',
    kind: 'executeProposal',
    refusal: 'TOMBSTONED dataset',
  },
  {
    name: 'a private receipt is settled that no holder can divide',
    file: machine('private-settlement'),
    from: 'needed: dao.policy.verifierThreshold,',
    to: 'needed: 0,',
    kind: 'settlePrivately',
    refusal: 'FORBIDDEN holders of the set',
  },
  {
    name: 'holders acknowledge one receipt, and another is settled',
    file: machine('private-settlement'),
    from: 'receiptDigest: digest,\n    }).toBytes(),',
    to: 'receiptDigest: digest,\n    }).toBytes().fill(0),',
    kind: 'settlePrivately',
  },
  {
    name: 'a vote takes what can still be divided',
    file: machine('receipt-pool'),
    from: 'room.nowMs < last.settledAtMs + LIMITS.writeOffAfterMs',
    to: 'room.nowMs < last.settledAtMs',
    kind: 'executeProposal',
    refusal: 'INVALID_ARGUMENT toReceipt',
  },
  {
    name: 'what is written off is still there to be divided',
    file: machine('receipt-pool'),
    from: "room.draft.write('receipt-pool', daoId, { ...pool, coveredReceipts: toReceipt });",
    to: '',
    kind: 'executeProposal',
    twist: 'receipts written off',
  },
  {
    name: 'anybody sets what answers may show',
    file: machine('dataset'),
    from: "requireHeld(room, daoId, 'steward');",
    to: '',
    kind: 'setAnswerRules',
    refusal: 'FORBIDDEN steward',
  },
];
