import { asAmount, type HolderSetId } from '@usufruct/kernel';
import { deriveId, GovernanceBcs, PayoutRulesBcs, ProposalEffectBcs, type ProposalEffect } from '@usufruct/protocol';
import { address, daoId, FOUNDER, hex, literal, named, SALT, word } from './signed-fixtures.js';

/** The bytes of rules and effects of the Move tests of governance, like `signed-fixtures`. */
const GOVERNANCE = {
  voting: 'contribution',
  quorumBps: 2_001,
  approvalBps: 5_002,
  votingMs: 1_003,
  timelockMs: 1_004,
  executionMs: 1_005,
  policyByVoteOnly: true,
} as const;
const PAYOUT_RULES = { mode: 'epoch', challengeMs: 1_006, claimTermMs: 1_007, unclaimedTo: 'protocol' } as const;
const NEW_SPLIT = { contributorsBps: 5_000, treasuryBps: 3_000, runnerBps: 1_500, protocolBps: 500 };
/** As `effect_tests.move` makes them. */
const EFFECTS: readonly ProposalEffect[] = [
  { kind: 'setPrice', pricePerQuestionUnits: asAmount(7n) },
  { kind: 'setPurposes', purposes: ['DUO:0000042', 'dpv:Marketing'] },
  { kind: 'setSplit', split: NEW_SPLIT },
  { kind: 'approveMeasurement', measurement: 'cd'.repeat(48) },
  { kind: 'withdrawMeasurement', measurement: 'ab'.repeat(48) },
  { kind: 'setVerifiers', holderSetId: word('set') as HolderSetId, verifierThreshold: 3 },
  {
    kind: 'setTerms',
    kinds: ['rag', 'train'],
    protections: ['mpc', 'fhe'],
    profiles: ['snp', 'tdx'],
    resultTermMs: 1_008,
    maxJobTermMs: 1_009,
  },
  { kind: 'setGovernance', governance: GOVERNANCE },
  { kind: 'setPayoutRules', payoutRules: PAYOUT_RULES },
  { kind: 'spendTreasury', to: address('ee'), amountUnits: asAmount(1_010n) },
  { kind: 'setRoles', member: address('ee'), roles: 5 },
  { kind: 'unpause' },
  { kind: 'writeOffReceipts', fromReceipt: 1_011n, toReceipt: 1_012n },
  { kind: 'setDataRules', onRevocation: 'finish', blobs: 'permanent', selfQueriesPay: false },
];

/** The text of `move/usufruct/tests/governance_fixtures.move`. */
export function governanceFixturesModule(): string {
  const parts = [
    named('proposal_id', 'address', literal(deriveId('proposal', daoId, FOUNDER, SALT))),
    named('other_holder_set_id', 'address', literal(word('set'))),
    named('governance', 'vector<u8>', hex(GovernanceBcs.serialize(GOVERNANCE).toBytes())),
    named('payout_rules', 'vector<u8>', hex(PayoutRulesBcs.serialize(PAYOUT_RULES).toBytes())),
    ...EFFECTS.map((effect) =>
      named(snake(effect.kind), 'vector<u8>', hex(ProposalEffectBcs.serialize(effect).toBytes())),
    ),
  ];
  return `#[test_only]\n/// Made by \`npm run move:fixtures\` from the TypeScript libraries; do not edit.\nmodule usufruct::governance_fixtures;\n\n${parts.join('\n')}`;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
