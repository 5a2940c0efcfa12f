import { describe, expect, it } from '@jest/globals';
import { asAmount, type DaoId, type ProposalId, type QuestionId } from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  DEFAULT_GOVERNANCE,
  LIMITS,
  type ChainAction,
  type Governance,
  type ProposalEffect,
  type VoteChoice,
} from '@usufruct/protocol';
import { DaoWorld, MEASUREMENT, PRICE, PURPOSE, type Signer } from '../testing/dao-world.js';
import { table, type Row } from '../testing/refusal-table.js';
import { digestOf, hexOf } from '../testing/world.js';

const { votingMs, timelockMs, executionMs } = DEFAULT_GOVERNANCE;
const PRICIER: ProposalEffect = { kind: 'setPrice', pricePerQuestionUnits: asAmount(PRICE + 1n) };
const OTHER_MEASUREMENT = 'cd'.repeat(48);
const unknown = hexOf<ProposalId>('nobody');
const idOf = (w: DaoWorld): ProposalId => w.proposalIdOf(w.founder);
const filled = async (governance: Partial<Governance> = {}): Promise<DaoWorld> =>
  (await new DaoWorld().found(governance)).fill();
const proposed = async (effect: ProposalEffect = PRICIER): Promise<DaoWorld> => {
  const w = await filled();
  await w.run(w.founder, w.propose(effect));
  return w;
};
const carried =
  (effect: ProposalEffect = PRICIER, governance: Partial<Governance> = {}) =>
  async (): Promise<DaoWorld> => {
    const w = await filled(governance);
    await w.carried(effect);
    return w;
  };

const propose =
  (effect: ProposalEffect): Row[2] =>
  (w) => [w.founder, w.propose(effect)];
const governed = (changes: Partial<Governance>): Row[2] =>
  propose({ kind: 'setGovernance', governance: { ...DEFAULT_GOVERNANCE, ...changes } });
const paying = (challengeMs: number, claimTermMs: number): Row[2] =>
  propose({
    kind: 'setPayoutRules',
    payoutRules: { mode: 'epoch', challengeMs, claimTermMs, unclaimedTo: 'protocol' },
  });
const terms = (changes: Partial<Extract<ProposalEffect, { kind: 'setTerms' }>>): Row[2] =>
  propose({
    kind: 'setTerms',
    kinds: ['rag'],
    protections: ['tee'],
    profiles: ['tdx'],
    resultTermMs: 1_000,
    maxJobTermMs: 1_000,
    ...changes,
  });
const split = (contributorsBps: number): Row[2] =>
  propose({ kind: 'setSplit', split: { contributorsBps, treasuryBps: 2_000, runnerBps: 800, protocolBps: 200 } });

table('making a proposal', filled, [
  ['by a member', 'ok', propose(PRICIER)],
  ['by a stranger', 'FORBIDDEN', (w) => [w.stranger, w.propose(PRICIER)]],
  [
    'to an unknown DAO',
    'NOT_FOUND',
    (w) => [w.founder, { ...w.propose(PRICIER), daoId: hexOf<DaoId>('x') } as ChainAction],
  ],
  ['twice the same', 'ALREADY_EXISTS', (w) => [w.founder, w.propose(PRICIER), w.propose(PRICIER)]],
  ['the same salt by another', 'ok', (w) => [w.contributors[0]!, w.propose(PRICIER)]],
  ['of no purpose', 'INVALID_ARGUMENT purposes', propose({ kind: 'setPurposes', purposes: [] })],
  ['of a purpose in words', 'INVALID_ARGUMENT purposes', propose({ kind: 'setPurposes', purposes: ['any'] })],
  ['of a purpose', 'ok', propose({ kind: 'setPurposes', purposes: [PURPOSE] })],
  ['of a split of 9,999', 'SPLIT_INVALID', split(6_999)],
  ['of a split of 10,000', 'ok', split(7_000)],
  [
    'to approve no measurement',
    'INVALID_ARGUMENT measurement',
    propose({ kind: 'approveMeasurement', measurement: '' }),
  ],
  [
    'to approve zeros',
    'INVALID_ARGUMENT measurement',
    propose({ kind: 'approveMeasurement', measurement: '00'.repeat(48) }),
  ],
  [
    'to withdraw capitals',
    'INVALID_ARGUMENT measurement',
    propose({ kind: 'withdrawMeasurement', measurement: 'AB'.repeat(48) }),
  ],
  ['to withdraw a measurement', 'ok', propose({ kind: 'withdrawMeasurement', measurement: MEASUREMENT })],
  [
    'of no verifier',
    'INVALID_ARGUMENT verifierThreshold',
    propose({ kind: 'setVerifiers', holderSetId: hexOf('x'), verifierThreshold: 0 }),
  ],
  [
    'of verifiers that may come',
    'ok',
    propose({ kind: 'setVerifiers', holderSetId: hexOf('x'), verifierThreshold: 255 }),
  ],
  ['of no kind', 'INVALID_ARGUMENT kinds', terms({ kinds: [] })],
  ['of a protection twice', 'INVALID_ARGUMENT protections', terms({ protections: ['tee', 'tee'] })],
  ['of no profile', 'INVALID_ARGUMENT appraisal.profiles', terms({ profiles: [] })],
  ['of results that never expire', 'INVALID_ARGUMENT appraisal.resultTermMs', terms({ resultTermMs: 0 })],
  ['of a job term above the limit', 'INVALID_ARGUMENT maxJobTermMs', terms({ maxJobTermMs: LIMITS.jobTermMs + 1 })],
  ['of terms', 'ok', terms({})],
  ['of no quorum', 'INVALID_ARGUMENT governance.quorumBps', governed({ quorumBps: 0 })],
  ['of a quorum above all', 'INVALID_ARGUMENT governance.quorumBps', governed({ quorumBps: 10_001 })],
  ['of a tie as approval', 'INVALID_ARGUMENT governance.approvalBps', governed({ approvalBps: 5_000 })],
  ['of an approval above all', 'INVALID_ARGUMENT governance.approvalBps', governed({ approvalBps: 10_001 })],
  ['of voting too short', 'INVALID_ARGUMENT governance.votingMs', governed({ votingMs: 999 })],
  ['of voting too long', 'INVALID_ARGUMENT governance.votingMs', governed({ votingMs: LIMITS.governanceTermMs + 1 })],
  [
    'of a timelock too long',
    'INVALID_ARGUMENT governance.timelockMs',
    governed({ timelockMs: LIMITS.governanceTermMs + 1 }),
  ],
  ['of execution too short', 'INVALID_ARGUMENT governance.executionMs', governed({ executionMs: 999 })],
  [
    'of execution too long',
    'INVALID_ARGUMENT governance.executionMs',
    governed({ executionMs: LIMITS.governanceTermMs + 1 }),
  ],
  [
    'of the shortest and strictest governance',
    'ok',
    governed({ quorumBps: 1, approvalBps: 5_001, votingMs: 1_000, timelockMs: 0, executionMs: 1_000 }),
  ],
  [
    'of the longest and strictest governance',
    'ok',
    governed({
      quorumBps: 10_000,
      approvalBps: 10_000,
      votingMs: LIMITS.governanceTermMs,
      timelockMs: LIMITS.governanceTermMs,
      executionMs: LIMITS.governanceTermMs,
    }),
  ],
  ['of a challenge too long', 'INVALID_ARGUMENT payoutRules.challengeMs', paying(LIMITS.governanceTermMs + 1, 1_000)],
  ['of claims too short', 'INVALID_ARGUMENT payoutRules.claimTermMs', paying(0, 999)],
  ['of claims too long', 'INVALID_ARGUMENT payoutRules.claimTermMs', paying(0, LIMITS.claimTermMs + 1)],
  ['of the shortest payout', 'ok', paying(0, 1_000)],
  ['of the longest payout', 'ok', paying(LIMITS.governanceTermMs, LIMITS.claimTermMs)],
  [
    'of spending nothing',
    'INVALID_ARGUMENT amountUnits',
    propose({ kind: 'spendTreasury', to: hexOf('x'), amountUnits: asAmount(0n) }),
  ],
  ['of an eighth role', 'INVALID_ARGUMENT roles', propose({ kind: 'setRoles', member: hexOf('x'), roles: 8 })],
]);

table('a DAO with rules of its own', filled, [
  [
    'no quorum',
    'INVALID_ARGUMENT governance.quorumBps',
    (w) => [w.founder, w.dao({}, 'x', { governance: { quorumBps: 0 } })],
  ],
  [
    'claims that never end',
    'INVALID_ARGUMENT payoutRules.claimTermMs',
    (w) => [w.founder, w.dao({}, 'x', { payoutRules: { claimTermMs: LIMITS.claimTermMs + 1 } })],
  ],
]);

const vote =
  (who: (w: DaoWorld) => Signer, choice: VoteChoice = 'yes'): Row[2] =>
  (w) => [who(w), w.vote(idOf(w), choice)];
/** The founder voted. The stranger became a member after the proposal was made. */
async function voting(): Promise<DaoWorld> {
  const w = await proposed();
  const { daoId } = w;
  await w.run(w.founder, w.vote(idOf(w)));
  await w.run(w.stranger, { kind: 'applyForMembership', daoId, statementHash: digestOf('x') });
  await w.run(w.founder, { kind: 'decideApplication', daoId, applicant: w.stranger.address, accept: true });
  return w;
}
table('voting', voting, [
  ['by a member', 'ok', vote((w) => w.contributors[0]!)],
  ['against it', 'ok', vote((w) => w.contributors[0]!, 'no')],
  ['a second time', 'ALREADY_VOTED', vote((w) => w.founder, 'no')],
  ['by no member', 'NO_VOTE', vote((w) => w.requester)],
  ['by one who came later', 'NO_VOTE', vote((w) => w.stranger)],
  ['on an unknown proposal', 'NOT_FOUND', (w) => [w.founder, w.vote(unknown)]],
  ['executing it meanwhile', 'PROPOSAL_STATE', (w) => [w.founder, w.execute(idOf(w))]],
  ['executing an unknown one', 'NOT_FOUND', (w) => [w.founder, w.execute(unknown)]],
]);

/** The state that a refusal names. */
async function stateOf(w: DaoWorld, signer: Signer, ...actions: ChainAction[]): Promise<string | undefined> {
  const { error } = await w.submit(signer, ...actions);
  expect(error?.code).toBe('PROPOSAL_STATE');
  return error?.details['state'];
}

describe('a proposal', () => {
  it('is voted on, waits, and is executed once by anybody', async () => {
    const w = await proposed();
    const id = idOf(w);
    const [ada, ben] = w.contributors as [Signer, Signer, Signer];
    await w.run(w.founder, w.vote(id));
    await w.run(ada, w.vote(id));
    await w.run(ben, w.vote(id, 'no'));
    expect(await stateOf(w, w.stranger, w.execute(id))).toBe('voting');
    w.clock.advance(votingMs - 1);
    expect(await w.refusal(w.contributors[2]!, w.vote(id, 'abstain'))).toBe('ok');
    w.clock.advance(1);
    expect(await stateOf(w, w.founder, w.vote(id))).toBe('timelocked');
    w.clock.advance(timelockMs - 1);
    expect(await stateOf(w, w.stranger, w.execute(id))).toBe('timelocked');
    w.clock.advance(1);
    const { events } = await w.run(w.stranger, w.execute(id));
    expect(events.map((event) => event.data.type)).toEqual(['PolicySet', 'ProposalExecuted']);
    expect(w.store.read('dao', w.daoId)).toMatchObject({
      policyVersion: 2,
      policy: { pricePerQuestionUnits: PRICE + 1n },
    });
    expect(w.store.read('proposal', id)).toMatchObject({
      yesVotes: 2n,
      noVotes: 1n,
      abstainVotes: 1n,
      totalVotes: 4n,
      memberCount: 4,
      number: 1,
      executedAtMs: w.clock.nowMs(),
    });
    expect(await stateOf(w, w.stranger, w.execute(id))).toBe('executed');
  });

  it('lapses', async () => {
    const w = await carried()();
    w.clock.advance(executionMs - 1);
    expect(await w.refusal(w.stranger, w.execute(idOf(w)))).toBe('ok');
    const late = await carried()();
    late.clock.advance(executionMs);
    expect(await stateOf(late, late.stranger, late.execute(idOf(late)))).toBe('lapsed');
  });

  // Four members. Quorum 50 %: 2 of 4 are enough, 1 is not. Approval 66.67 %: 2 of 3 are 66.66…, not enough.
  it.each([
    [['yes', 'yes'], 'ok'],
    [['yes', 'abstain'], 'ok'],
    [['yes'], 'rejected'],
    [['abstain', 'abstain'], 'rejected'],
    [['yes', 'yes', 'no'], 'rejected'],
    [['yes', 'yes', 'yes', 'no'], 'ok'],
    [['no', 'no', 'no', 'no'], 'rejected'],
    [[], 'rejected'],
  ] as const)('with the votes %j is %s', async (choices, result) => {
    const w = await filled({ quorumBps: 5_000, approvalBps: 6_667 });
    await w.run(w.founder, w.propose(PRICIER));
    const voters = [w.founder, ...w.contributors];
    for (const [i, choice] of choices.entries()) await w.run(voters[i]!, w.vote(idOf(w), choice));
    w.clock.advance(votingMs + timelockMs);
    if (result === 'ok') expect(await w.refusal(w.stranger, w.execute(idOf(w)))).toBe('ok');
    else expect(await stateOf(w, w.stranger, w.execute(idOf(w)))).toBe(result);
  });

  it('keeps the rules under which it was made', async () => {
    const w = await filled();
    await w.run(w.founder, w.propose(PRICIER));
    const governance = { ...DEFAULT_GOVERNANCE, votingMs: 1_000, quorumBps: 10_000, approvalBps: 10_000 };
    await w.run(w.founder, w.propose({ kind: 'setGovernance', governance }, 'rules'));
    const rules = w.proposalIdOf(w.founder, 'rules');
    for (const who of [w.founder, w.contributors[0]!]) await w.run(who, w.vote(idOf(w)), w.vote(rules));
    w.clock.advance(votingMs + timelockMs);
    await w.run(w.stranger, w.execute(rules));
    expect(w.store.read('dao', w.daoId)?.governance).toEqual(governance);
    // Two of four would no longer do.
    await w.run(w.stranger, w.execute(idOf(w)));
  });

  it('and another on something else both count', async () => {
    const w = await filled();
    await w.carried(PRICIER, 'price');
    const purposes = ['DUO:0000042'];
    // Made before the other is executed, executed after it.
    await w.run(w.contributors[0]!, w.propose({ kind: 'setPurposes', purposes }));
    const second = w.proposalIdOf(w.contributors[0]!);
    await w.run(w.stranger, w.execute(w.proposalIdOf(w.founder, 'price')));
    await w.run(w.founder, w.vote(second));
    w.clock.advance(votingMs + timelockMs);
    await w.run(w.stranger, w.execute(second));
    const dao = w.store.read('dao', w.daoId)!;
    expect(dao.policy).toMatchObject({ pricePerQuestionUnits: PRICE + 1n, purposes });
    expect([dao.policyVersion, dao.proposalCount]).toEqual([3, 2]);
  });

  it('that cannot be executed now may be executed later', async () => {
    const w = await filled();
    const id = await w.carried({ kind: 'spendTreasury', to: w.stranger.address, amountUnits: asAmount(5n) });
    expect(await w.refusal(w.stranger, w.execute(id))).toBe('INSUFFICIENT_BALANCE');
    const treasury = { address: w.store.read('dao', w.daoId)!.treasury } as Signer;
    await w.run(w.requester, w.mint(treasury, 5n));
    expect(await w.refusal(w.stranger, w.execute(id))).toBe('ok');
  });
});

describe('what is executed', () => {
  const policyOf = (w: DaoWorld) => w.store.read('dao', w.daoId)!.policy;

  it('changes one thing of the policy', async () => {
    const w = await filled();
    const { appraisal } = policyOf(w);
    const newSplit = { contributorsBps: 5_000, treasuryBps: 3_000, runnerBps: 1_500, protocolBps: 500 };
    await w.decided({ kind: 'setSplit', split: newSplit }, 'a');
    expect(policyOf(w).split).toEqual(newSplit);
    await w.decided({ kind: 'approveMeasurement', measurement: OTHER_MEASUREMENT }, 'b');
    const both = [MEASUREMENT, OTHER_MEASUREMENT];
    expect(policyOf(w).appraisal).toEqual({ ...appraisal, version: 2, measurements: both });
    await w.decided({ kind: 'withdrawMeasurement', measurement: MEASUREMENT }, 'c');
    expect(policyOf(w).appraisal).toEqual({ ...appraisal, version: 3, measurements: [OTHER_MEASUREMENT] });
    await w.decided({ kind: 'setVerifiers', holderSetId: w.holderSetId, verifierThreshold: 3 }, 'd');
    expect(policyOf(w).verifierThreshold).toBe(3);
    const newTerms = { kinds: ['train'], protections: ['fhe'], maxJobTermMs: 5 } as const;
    const [kinds, protections] = [[...newTerms.kinds], [...newTerms.protections]];
    const { maxJobTermMs } = newTerms;
    await w.decided({ kind: 'setTerms', kinds, protections, profiles: ['snp'], resultTermMs: 7, maxJobTermMs }, 'e');
    expect(policyOf(w)).toEqual({
      ...w.policy(),
      split: newSplit,
      verifierThreshold: 3,
      ...newTerms,
      appraisal: { version: 4, profiles: ['snp'], measurements: [OTHER_MEASUREMENT], resultTermMs: 7 },
    });
    expect(w.store.read('dao', w.daoId)?.policyVersion).toBe(6);
  });

  it('changes what becomes of data in use and stored, and nothing else', async () => {
    const w = await filled();
    const rules = { onRevocation: 'finish', blobs: 'permanent', selfQueriesPay: true } as const;
    await w.decided({ kind: 'setDataRules', ...rules }, 'a');
    expect(policyOf(w)).toEqual({ ...w.policy(), ...rules });
  });

  it('gives a measurement that comes back another policy digest, so that old statements stay dead', async () => {
    const w = await filled();
    const before = appraisalPolicyDigest(policyOf(w).appraisal);
    await w.decided({ kind: 'approveMeasurement', measurement: OTHER_MEASUREMENT }, 'a');
    await w.decided({ kind: 'withdrawMeasurement', measurement: OTHER_MEASUREMENT }, 'b');
    const { appraisal } = policyOf(w);
    expect(appraisal.measurements).toEqual([MEASUREMENT]);
    expect(appraisalPolicyDigest(appraisal)).not.toBe(before);
  });

  it.each<[string, ProposalEffect, string]>([
    [
      'a measurement that is approved',
      { kind: 'approveMeasurement', measurement: MEASUREMENT },
      'INVALID_ARGUMENT measurement',
    ],
    [
      'a measurement that is not',
      { kind: 'withdrawMeasurement', measurement: OTHER_MEASUREMENT },
      'INVALID_ARGUMENT measurement',
    ],
    [
      'the last measurement',
      { kind: 'withdrawMeasurement', measurement: MEASUREMENT },
      'INVALID_ARGUMENT appraisal.measurements',
    ],
    ['a holder set that is none', { kind: 'setVerifiers', holderSetId: hexOf('x'), verifierThreshold: 1 }, 'NOT_FOUND'],
    ['roles of a stranger', { kind: 'setRoles', member: hexOf('x'), roles: 1 }, 'NOT_FOUND'],
    ['a pause that is not', { kind: 'unpause' }, 'INVALID_ARGUMENT effect'],
  ])('is refused for %s', async (_name, effect, refusal) => {
    const w = await filled();
    const id = await w.carried(effect);
    expect(await w.refusal(w.stranger, w.execute(id))).toBe(refusal);
    expect(w.store.read('proposal', id)?.executedAtMs).toBeNull();
  });

  it('is refused for more verifiers than the set has, and for the last administrator', async () => {
    const w = await filled();
    const { holderSetId, founder } = w;
    const verifiers = await w.carried({ kind: 'setVerifiers', holderSetId, verifierThreshold: 4 }, 'a');
    expect(await w.refusal(w.stranger, w.execute(verifiers))).toBe('INVALID_ARGUMENT verifierThreshold');
    const last = await w.carried({ kind: 'setRoles', member: founder.address, roles: 6 }, 'b');
    expect(await w.refusal(w.stranger, w.execute(last))).toBe('INVALID_ARGUMENT roles');
  });

  it('is refused when the appraisal policy has no number left', async () => {
    const w = await filled();
    const policy = w.policy({ appraisal: { ...w.policy().appraisal, version: 2 ** 32 - 1 } });
    await w.run(w.founder, { kind: 'setPolicy', daoId: w.daoId, expectedVersion: 1, policy });
    const id = await w.carried({ kind: 'approveMeasurement', measurement: OTHER_MEASUREMENT });
    expect(await w.refusal(w.stranger, w.execute(id))).toBe('INVALID_ARGUMENT appraisal.version');
  });

  it('spends what the treasury has, to anybody, and no more', async () => {
    const w = await DaoWorld.ready();
    await w.run(w.stranger, await w.settlement(w.uses(1n, null, null)));
    const treasury = { address: w.store.read('dao', w.daoId)!.treasury };
    // 20 % of a million.
    const held = (PRICE * 2n) / 10n;
    expect(w.balanceOf(treasury)).toBe(held);
    const to = w.stranger.address;
    const all = await w.carried({ kind: 'spendTreasury', to, amountUnits: asAmount(held) }, 'all');
    await w.run(w.founder, w.propose({ kind: 'spendTreasury', to, amountUnits: asAmount(1n) }, 'more'));
    await w.run(w.founder, w.vote(w.proposalIdOf(w.founder, 'more')));
    const { events } = await w.run(w.requester, w.execute(all));
    expect(events[0]?.data).toEqual({ type: 'TreasurySpent', daoId: w.daoId, to, amountUnits: held });
    expect([w.balanceOf(treasury), w.balanceOf(w.stranger)]).toEqual([0n, held]);
    w.clock.advance(votingMs + timelockMs);
    expect(await w.refusal(w.requester, w.execute(w.proposalIdOf(w.founder, 'more')))).toBe('INSUFFICIENT_BALANCE');
  });

  it('gives roles, payout rules, and takes the policy from the roles', async () => {
    const w = await filled();
    const [ada] = w.contributors as [Signer];
    await w.decided({ kind: 'setRoles', member: ada.address, roles: 2 }, 'a');
    const policyBy = (who: Signer, version: number) =>
      w.refusal(who, { kind: 'setPolicy', daoId: w.daoId, expectedVersion: version, policy: w.policy() });
    expect(await policyBy(ada, 1)).toBe('ok');
    const payoutRules = { mode: 'epoch', challengeMs: 0, claimTermMs: 1_000, unclaimedTo: 'protocol' } as const;
    await w.decided({ kind: 'setPayoutRules', payoutRules }, 'b');
    expect(w.store.read('dao', w.daoId)?.payoutRules).toEqual(payoutRules);
    await w.decided({ kind: 'setGovernance', governance: { ...DEFAULT_GOVERNANCE, policyByVoteOnly: true } }, 'c');
    expect(await policyBy(ada, 2)).toBe('BY_VOTE_ONLY');
    expect(await policyBy(w.stranger, 2)).toBe('FORBIDDEN');
    await w.decided(PRICIER, 'd');
    expect(policyOf(w).pricePerQuestionUnits).toBe(PRICE + 1n);
  });
});

describe('votes by contribution', () => {
  it('count what was earned before the proposal was made, and nothing that came after', async () => {
    const w = await (await (await new DaoWorld().found({ voting: 'contribution', quorumBps: 5_000 })).fill()).open();
    const [ada, ben, cleo] = w.contributors as [Signer, Signer, Signer];
    // 70 % of a million: Ada three quarters, Ben one.
    await w.run(w.stranger, await w.settlement(w.uses(3n, 1n, null)));
    await w.run(w.founder, w.propose(PRICIER));
    const id = idOf(w);
    expect(w.store.read('proposal', id)).toMatchObject({ voting: 'contribution', totalVotes: 700_000n });
    // Ben and Cleo earn more afterwards: it counts on the next proposal only.
    await w.run(w.stranger, await w.settlement(w.uses(null, 1n, 1n), { questionId: hexOf<QuestionId>('question 2') }));
    await w.run(w.founder, w.propose(PRICIER, 'next'));
    const next = w.proposalIdOf(w.founder, 'next');
    expect(await w.refusal(w.founder, w.vote(id))).toBe('NO_VOTE');
    expect(await w.refusal(cleo, w.vote(id))).toBe('NO_VOTE');
    await w.run(ben, w.vote(id, 'no'), w.vote(next));
    await w.run(cleo, w.vote(next, 'no'));
    await w.run(ada, w.vote(id), w.vote(next, 'abstain'));
    expect(w.store.read('proposal', id)).toMatchObject({ yesVotes: 525_000n, noVotes: 175_000n, abstainVotes: 0n });
    expect(w.store.read('proposal', next)).toMatchObject({
      totalVotes: 1_400_000n,
      yesVotes: 525_000n, // 175,000 and half of 700,000
      noVotes: 350_000n,
      abstainVotes: 525_000n,
    });
  });
});

it('lets members vote until somebody has earned something: else a DAO that is paused by then would stay so', async () => {
  const w = await (await (await new DaoWorld().found({ voting: 'contribution', quorumBps: 2_500 })).fill()).open();
  await w.run(w.founder, { kind: 'pauseDao', daoId: w.daoId }, w.propose({ kind: 'unpause' }));
  const id = idOf(w);
  expect(w.store.read('proposal', id)).toMatchObject({ voting: 'member', totalVotes: 4n });
  await w.run(w.founder, w.vote(id));
  expect(w.store.read('proposal', id)).toMatchObject({ yesVotes: 1n });
});

/** Everything that could be sent to a paused DAO. */
async function paused(): Promise<DaoWorld> {
  const w = await DaoWorld.ready();
  const { daoId } = w;
  await w.run(w.stranger, { kind: 'applyForMembership', daoId, statementHash: digestOf('x') }, w.contribution());
  await w.run(w.founder, { kind: 'pauseDao', daoId });
  return w;
}
const strangers = (w: DaoWorld): ChainAction => ({
  kind: 'decideContribution',
  contributionId: w.derive('contribution', w.datasetId, w.stranger, 'contribution'),
  accept: true,
});
table('a paused DAO', paused, [
  ['a pause', 'DAO_PAUSED', (w) => [w.founder, { kind: 'pauseDao', daoId: w.daoId }]],
  ['a pause by another', 'FORBIDDEN', (w) => [w.contributors[0]!, { kind: 'pauseDao', daoId: w.daoId }]],
  ['a pause of an unknown DAO', 'NOT_FOUND', (w) => [w.founder, { kind: 'pauseDao', daoId: hexOf('x') }]],
  [
    'an application',
    'DAO_PAUSED',
    (w) => [w.requester, { kind: 'applyForMembership', daoId: w.daoId, statementHash: digestOf('x') }],
  ],
  [
    'its answer',
    'DAO_PAUSED',
    (w) => [w.founder, { kind: 'decideApplication', daoId: w.daoId, applicant: w.stranger.address, accept: true }],
  ],
  ['a dataset', 'DAO_PAUSED', (w) => [w.founder, w.dataset({ salt: hexOf('x') })]],
  ['a contribution', 'DAO_PAUSED', (w) => [w.stranger, w.contribution({ salt: hexOf('x') })]],
  ['its decision', 'DAO_PAUSED', (w) => [w.founder, strangers(w)]],
  ['a runner', 'DAO_PAUSED', async (w) => [w.runnerWallet, await w.registration(w.statement())]],
  ['a job', 'DAO_PAUSED', (w) => [w.requester, w.job({ salt: hexOf('x') })]],
  ['a settlement', 'DAO_PAUSED', async (w) => [w.stranger, await w.settlement(w.uses(1n, null, null))]],
  ['a grant', 'ok', (w) => [w.contributors[0]!, w.grant(0, {}, 'x')]],
  ['a revocation', 'ok', (w) => [w.contributors[0]!, { kind: 'revokeGrant', grantId: w.grantIds[0]! }]],
  ['the end of a job', 'ok', (w) => [w.requester, { kind: 'closeJob', jobId: w.jobId }]],
  ['a policy', 'ok', (w) => [w.founder, { kind: 'setPolicy', daoId: w.daoId, expectedVersion: 1, policy: w.policy() }]],
  [
    'a role',
    'ok',
    (w) => [w.founder, { kind: 'setRoles', daoId: w.daoId, member: w.contributors[0]!.address, roles: 4 }],
  ],
  ['a proposal and a vote', 'ok', (w) => [w.founder, w.propose({ kind: 'unpause' }), w.vote(idOf(w))]],
]);

describe('a pause', () => {
  it('is ended by a vote', async () => {
    const w = await paused();
    const id = await w.carried({ kind: 'unpause' });
    const { events } = await w.run(w.stranger, w.execute(id));
    expect(events.map((event) => event.data.type)).toEqual(['DaoUnpaused', 'ProposalExecuted']);
    expect(w.store.read('dao', w.daoId)?.paused).toBe(false);
    expect(await w.refusal(w.founder, strangers(w))).toBe('ok');
  });
  it('is one way but for that: only the founder pauses, and pausing does not end', async () => {
    const w = await filled();
    expect(await w.refusal(w.contributors[0]!, { kind: 'pauseDao', daoId: w.daoId })).toBe('FORBIDDEN');
    expect(await w.refusal(w.founder, { kind: 'pauseDao', daoId: w.daoId })).toBe('ok');
  });
});
