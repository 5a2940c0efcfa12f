import { describe, expect, it } from '@jest/globals';
import { asAmount, asWeight, type Address, type ProposalId, type QuestionId } from '@usufruct/kernel';
import { Book, ISSUANCE_ACCOUNT, journalEntryOf } from '@usufruct/ledger';
import {
  treasuryAccountOf,
  zChainEvent,
  type ChainAction,
  type ChainEvent,
  type ProposalEffect,
  type ProposalView,
} from '@usufruct/protocol';
import fc from 'fast-check';
import { DaoWorld, type Signer } from './testing/dao-world.js';
import { digestOf, hexOf } from './testing/world.js';

/**
 * Any sequence of answers, proposals, votes and executions, at any time. A second reckoning, kept from the events alone
 * and by other means than the ledger's, says how many votes everybody has, what has passed, and what the treasury has.
 */
const MINUTE_MS = 60_000;
const GOVERNANCE = {
  quorumBps: 3_000,
  approvalBps: 6_000,
  votingMs: 2 * MINUTE_MS,
  timelockMs: MINUTE_MS,
  executionMs: 3 * MINUTE_MS,
};
const who = fc.nat(5);
const which = fc.nat(3);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('answer' as const), weights: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('propose' as const), by: who, which, units: fc.nat(400_000) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('vote' as const),
      by: who,
      which,
      choice: fc.constantFrom('yes' as const, 'yes' as const, 'no' as const, 'abstain' as const),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('execute' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.constantFrom(1, 1, 2, 3) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Made by whoever: all of the same salt, so that a proposal is found by its proposer and its number. */
const EFFECTS: readonly ((w: DaoWorld, units: number) => ProposalEffect)[] = [
  (w, units) => ({ kind: 'spendTreasury', to: w.stranger.address, amountUnits: asAmount(BigInt(units + 1)) }),
  (w) => ({ kind: 'setRoles', member: w.founder.address, roles: 6 }),
  (w) => ({ kind: 'setRoles', member: w.contributors[0]!.address, roles: 1 }),
  (_w, units) => ({ kind: 'setPrice', pricePerQuestionUnits: asAmount(BigInt(units)) }),
];

class Reckoning {
  readonly book = new Book();
  readonly members: Address[] = [];
  readonly earned = new Map<Address, bigint>();
  readonly proposals = new Map<ProposalId, { made: ProposalView; members: Address[]; earned: Map<Address, bigint> }>();
  readonly votes = new Map<ProposalId, Map<Address, readonly [choice: string, votes: bigint]>>();
  readonly executed = new Set<ProposalId>();

  record(event: ChainEvent): void {
    this.book.record(journalEntryOf(event));
    const { data } = event;
    if (data.type === 'MemberAdded') this.members.push(data.member);
    if (data.type === 'ReceiptSettled') {
      for (const { account, role, amountUnits } of data.payouts) {
        if (role === 'contributor') this.earned.set(account, (this.earned.get(account) ?? 0n) + amountUnits);
      }
    }
    if (data.type === 'ProposalCreated') this.#made(data.proposal);
    if (data.type === 'VoteCast') this.#cast(data.proposalId, data.voter, data.choice, data.votes);
    if (data.type === 'ProposalExecuted') this.#done(data.proposalId, event.atMs);
  }

  #made(made: ProposalView): void {
    const earned = new Map(this.earned);
    const total = made.voting === 'member' ? BigInt(this.members.length) : sum(earned.values());
    expect([made.totalVotes, made.number]).toEqual([total, this.proposals.size + 1]);
    this.proposals.set(made.id, { made, members: [...this.members], earned });
    this.votes.set(made.id, new Map());
  }

  #cast(id: ProposalId, voter: Address, choice: string, votes: bigint): void {
    const { made, members, earned } = this.proposals.get(id)!;
    expect(members).toContain(voter);
    expect(this.votes.get(id)!.has(voter)).toBe(false);
    expect(votes).toBe(made.voting === 'member' ? 1n : earned.get(voter));
    this.votes.get(id)!.set(voter, [choice, votes]);
    expect(sum([...this.votes.get(id)!.values()].map(([, n]) => n)) <= made.totalVotes).toBe(true);
  }

  #done(id: ProposalId, atMs: number): void {
    expect(this.executed.has(id)).toBe(false);
    this.executed.add(id);
    const { made } = this.proposals.get(id)!;
    const of = (wanted: string): number =>
      Number(sum([...this.votes.get(id)!.values()].filter(([choice]) => choice === wanted).map(([, n]) => n)));
    const [yes, no, abstain] = [of('yes'), of('no'), of('abstain')];
    // Numbers here are far below 2⁵³ / 10⁴, so these divisions are compared without a rounding that matters.
    expect((yes + no + abstain) / Number(made.totalVotes)).toBeGreaterThanOrEqual(0.3);
    expect(yes / (yes + no)).toBeGreaterThanOrEqual(0.6);
    const waitedMs = atMs - made.createdAtMs;
    expect(waitedMs).toBeGreaterThanOrEqual(3 * MINUTE_MS);
    expect(waitedMs).toBeLessThan(6 * MINUTE_MS);
  }
}
const sum = (values: Iterable<bigint>): bigint => [...values].reduce((total, value) => total + value, 0n);

async function actionOf(w: DaoWorld, s: Exclude<Step, { do: 'wait' }>, r: Reckoning, at: number): Promise<Sent> {
  const people = [w.founder, ...w.contributors, w.stranger, w.requester];
  const proposals = [...r.proposals.keys()];
  const unknown = hexOf<ProposalId>('none');
  const picked = (n: number): ProposalId => proposals.at(-1 - n) ?? unknown;
  switch (s.do) {
    case 'answer': {
      const uses = w.uses(...s.weights.map((weight) => asWeight(BigInt(weight))));
      return [w.stranger, await w.settlement(uses, { questionId: hexOf<QuestionId>(`question ${at}`) })];
    }
    case 'propose':
      return [people[s.by]!, w.propose(EFFECTS[s.which]!(w, s.units), `proposal ${at}`)];
    case 'vote':
      return [people[s.by]!, w.vote(picked(s.which), s.choice)];
    case 'execute':
      return [w.requester, w.execute(picked(s.which))];
    case 'join':
      return [w.founder, { kind: 'decideApplication', daoId: w.daoId, applicant: w.stranger.address, accept: true }];
  }
}
type Sent = readonly [Signer, ChainAction];

async function play(voting: 'member' | 'contribution', steps: readonly Step[]): Promise<Reckoning> {
  const w = await (await new DaoWorld().found({ ...GOVERNANCE, voting })).fill();
  const { daoId } = w;
  await w.run(w.runnerWallet, await w.registration(w.statement()));
  await w.run(w.requester, w.mint(w.requester, 100_000_000n), w.job({ maxQuestions: 100, termMs: 30 * MINUTE_MS }));
  await w.run(w.stranger, { kind: 'applyForMembership', daoId, statementHash: digestOf('statement') });
  const reckoning = new Reckoning();
  let seen = 0;
  const follow = (): void => {
    const events = w.store.events(seen, 1_000, 10 ** 9).map((text) => zChainEvent.parse(JSON.parse(text)));
    seen += events.length;
    for (const event of events) reckoning.record(event);
  };
  follow();
  for (const [at, s] of steps.entries()) {
    if (s.do === 'wait') {
      w.clock.advance(s.minutes * MINUTE_MS);
      continue;
    }
    const [signer, action] = await actionOf(w, s, reckoning, at);
    await w.submit(signer, action);
    follow();
    assertAgrees(w, reckoning);
  }
  return reckoning;
}

function assertAgrees(w: DaoWorld, { book, members, earned, proposals, votes, executed }: Reckoning): void {
  book.assertBacked();
  for (const account of book.accounts().filter((one) => one !== ISSUANCE_ACCOUNT && one.startsWith('wallet:'))) {
    expect(book.balanceOf(account)).toBe(w.balanceOf({ address: account.slice('wallet:'.length) }));
  }
  const membership = w.store.read('membership', w.daoId)!;
  expect(membership).toMatchObject({ memberCount: members.length, earnedUnits: sum(earned.values()) });
  expect(membership.administrators).toBeGreaterThan(0);
  expect(w.balanceOf({ address: treasuryAccountOf(w.daoId) })).toBeGreaterThanOrEqual(0n);
  for (const id of proposals.keys()) {
    const view = w.store.read('proposal', id)!;
    expect(view.yesVotes + view.noVotes + view.abstainVotes).toBe(sum([...votes.get(id)!.values()].map(([, n]) => n)));
    expect(view.executedAtMs !== null).toBe(executed.has(id));
  }
}

describe('any sequence of proposals and votes', () => {
  it.each(['member', 'contribution'] as const)(
    'by %s is counted as a second reckoning says',
    async (voting) => {
      const sequence = fc.array(step, { minLength: 30, maxLength: 60 });
      await fc.assert(
        fc.asyncProperty(sequence, async (steps) => void (await play(voting, steps))),
        { numRuns: 8 },
      );
    },
    120_000,
  );

  it('spends the treasury in a sequence that is made to', async () => {
    const steps: Step[] = [
      { do: 'answer', weights: [1, 2, 0] },
      { do: 'propose', by: 0, which: 0, units: 99_999 },
      { do: 'answer', weights: [0, 0, 3] },
      { do: 'vote', by: 2, which: 0, choice: 'yes' },
      { do: 'vote', by: 3, which: 0, choice: 'no' },
      { do: 'vote', by: 2, which: 0, choice: 'no' },
      { do: 'wait', minutes: 3 },
      { do: 'execute', which: 0 },
      { do: 'execute', which: 0 },
    ];
    const { executed, votes, book } = await play('contribution', steps);
    expect(executed.size).toBe(1);
    // Ben's two thirds of 700,000; Cleo earned only afterwards, and nobody votes twice.
    expect([...votes.values()].map((cast) => [...cast.values()])).toEqual([[['yes', 466_667n]]]);
    expect(book.accounts().map((account) => book.balanceOf(account))).toContain(100_000n);
  });
});
