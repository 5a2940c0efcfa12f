import { describe, expect, it } from '@jest/globals';
import { asAmount, asWeight, type Address, type JobId, type QuestionId } from '@usufruct/kernel';
import { Book, escrowAccount, ISSUANCE_ACCOUNT, journalEntryOf, walletAccount } from '@usufruct/ledger';
import { zChainEvent, type ChainAction, type ChainEvent } from '@usufruct/protocol';
import fc from 'fast-check';
import { DaoWorld, type Signer } from './testing/dao-world.js';
import { hexOf } from './testing/world.js';

/**
 * Any sequence of actions by anybody, at any time. After each transaction: the book of the events has the balances of
 * the chain, money is conserved, and who gained or lost what, and who changed what, is what the rules allow.
 */
const WHO = ['founder', 'requester', 'stranger', 'runner', 'ada', 'ben', 'cleo'] as const;
const who = fc.constantFrom(...WHO);
/** Mostly the one with whom something happens, so that long sequences get somewhere. */
const mostly = (name: (typeof WHO)[number]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(name) }, { weight: 1, arbitrary: who });
const funder = mostly('requester');
const small = fc.nat(1);
const units = fc.bigInt(0n, 4_000_000n);
const step = fc.oneof(
  fc.record({ do: fc.constant('mint' as const), by: who, to: who, units }),
  fc.record({ do: fc.constant('transfer' as const), by: who, to: who, units }),
  fc.record({ do: fc.constant('fund' as const), by: funder, salt: small, questions: fc.integer({ min: 0, max: 3 }) }),
  fc.record({
    do: fc.constant('settle' as const),
    by: who,
    funder,
    salt: small,
    question: small,
    weights: fc.array(fc.option(fc.bigInt(0n, 5n), { nil: null }), { minLength: 3, maxLength: 3 }),
  }),
  fc.record({ do: fc.constant('close' as const), by: funder, funder, salt: small }),
  fc.record({ do: fc.constant('expire' as const), by: funder, funder, salt: small }),
  fc.record({ do: fc.constant('revoke' as const), by: who, which: fc.nat(2) }),
  fc.record({ do: fc.constant('decide' as const), by: who, which: fc.nat(2), accept: fc.boolean() }),
  fc.record({ do: fc.constant('policy' as const), by: who, version: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('wait' as const), byMs: fc.constantFrom(1, 60_000, 600_000, 1_800_001) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const walletIn = (w: DaoWorld, name: (typeof WHO)[number]): Signer =>
  ({
    founder: w.founder,
    requester: w.requester,
    stranger: w.stranger,
    runner: w.runnerWallet,
    ada: w.contributors[0]!,
    ben: w.contributors[1]!,
    cleo: w.contributors[2]!,
  })[name];
const jobIdOf = (w: DaoWorld, funder: (typeof WHO)[number], salt: number): JobId =>
  w.derive<JobId>('job', w.datasetId, walletIn(w, funder), `job ${salt}`);

async function actionOf(w: DaoWorld, s: Exclude<Step, { do: 'wait' }>): Promise<ChainAction> {
  switch (s.do) {
    case 'mint':
    case 'transfer':
      return { kind: s.do, to: walletIn(w, s.to).address, amountUnits: asAmount(s.units) };
    case 'fund':
      return w.job({ salt: hexOf(`job ${s.salt}`), maxQuestions: s.questions });
    case 'settle': {
      const uses = w.uses(...s.weights.map((weight) => (weight === null ? null : asWeight(weight))));
      const questionId = hexOf<QuestionId>(`question ${s.question}`);
      return w.settlement(uses, { jobId: jobIdOf(w, s.funder, s.salt), questionId });
    }
    case 'close':
      return { kind: 'closeJob', jobId: jobIdOf(w, s.funder, s.salt) };
    case 'expire':
      return { kind: 'expireJob', jobId: jobIdOf(w, s.funder, s.salt) };
    case 'revoke':
      return { kind: 'revokeGrant', grantId: w.grantIds[s.which]! };
    case 'decide':
      return { ...w.decide(s.which), accept: s.accept } as ChainAction;
    case 'policy':
      return { kind: 'setPolicy', daoId: w.daoId, expectedVersion: s.version, policy: w.policy() };
  }
}

/** What the rules allow an event to be caused by. */
function assertPermitted(w: DaoWorld, { sender, data }: ChainEvent): void {
  const isBy = (owner: Address): void => expect(sender).toBe(owner);
  if (data.type === 'Transferred') isBy(data.from);
  if (data.type === 'JobFunded') isBy(data.job.requester);
  if (data.type === 'GrantRevoked') isBy(w.store.read('grant', data.grantId)!.grantor);
  if (data.type === 'ContributionDecided' || data.type === 'PolicySet') isBy(w.founder.address);
  if (data.type === 'JobClosed') {
    const job = w.store.read('job', data.jobId)!;
    expect(data.refundedTo).toBe(job.requester);
    if (data.state === 'cancelled') isBy(job.requester);
  }
  if (data.type === 'ReceiptSettled') {
    expect(data.uses.map((use) => w.store.read('contribution', use.contributionId)!.state)).toEqual(
      data.uses.map(() => 'accepted'),
    );
  }
}

async function play(steps: readonly Step[]): Promise<number> {
  const world = await (await new DaoWorld().found()).fill();
  await world.run(world.runnerWallet, await world.registration(world.statement()));
  await world.run(world.requester, world.mint(world.requester, 20_000_000n));
  const book = new Book();
  const settled = new Set<string>();
  let seen = 0;
  let succeeded = 0;
  for (const s of steps) {
    if (s.do === 'wait') {
      world.clock.advance(s.byMs);
      continue;
    }
    const outcome = await world.submit(walletIn(world, s.by), await actionOf(world, s));
    succeeded += outcome.status === 'succeeded' ? 1 : 0;
    const events = world.store.events(seen, 1_000, 10 ** 9).map((text) => zChainEvent.parse(JSON.parse(text)));
    expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => seen + 1 + i));
    seen += events.length;
    for (const event of events) {
      book.record(journalEntryOf(event));
      assertPermitted(world, event);
      if (event.data.type !== 'ReceiptSettled') continue;
      const key = `${event.data.jobId}/${event.data.questionId}`;
      expect(settled.has(key)).toBe(false);
      settled.add(key);
    }
    assertAgrees(world, book);
  }
  return succeeded;
}

function assertAgrees(world: DaoWorld, book: Book): void {
  book.assertBacked();
  for (const account of book.accounts()) {
    const [kind, id] = account.split(':') as [string, string | undefined];
    if (account === ISSUANCE_ACCOUNT) {
      expect(-book.balanceOf(account)).toBe(world.store.read('supply', 'supply')!.mintedUnits);
    } else if (kind === 'escrow') {
      const job = world.store.read('job', id!)!;
      expect(book.balanceOf(escrowAccount(job.id))).toBe(job.escrowUnits);
      // Closed is empty, and what is open covers every question that may still be asked.
      const owed = BigInt(job.maxQuestions - job.questionsSettled) * job.pricePerQuestionUnits;
      if (job.state === 'funded') expect(job.escrowUnits >= owed).toBe(true);
      else expect(job.escrowUnits).toBe(0n);
    } else {
      expect(book.balanceOf(walletAccount(id as Address))).toBe(world.balanceOf({ address: id! }));
    }
  }
}

describe('any sequence of actions', () => {
  it('conserves money, pays each question once, and lets nobody act for another', async () => {
    const sequence = fc.array(step, { minLength: 20, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(sequence, async (steps) => void (await play(steps))),
      { numRuns: 25 },
    );
  }, 120_000);

  it('pays in a sequence that is made to pay', async () => {
    const steps: Step[] = [
      { do: 'mint', by: 'stranger', to: 'ada', units: 4_000_000n },
      { do: 'fund', by: 'requester', salt: 0, questions: 3 },
      { do: 'settle', by: 'ben', funder: 'requester', salt: 0, question: 0, weights: [1n, null, 2n] },
      { do: 'settle', by: 'ben', funder: 'requester', salt: 0, question: 0, weights: [1n, null, 2n] },
      { do: 'settle', by: 'ben', funder: 'requester', salt: 0, question: 1, weights: [null, null, null] },
      { do: 'revoke', by: 'ada', which: 0 },
      { do: 'settle', by: 'ben', funder: 'requester', salt: 0, question: 2, weights: [1n, 1n, 1n] },
      { do: 'settle', by: 'ben', funder: 'requester', salt: 0, question: 2, weights: [null, 1n, 1n] },
    ];
    // Refused: the second time, and the use of what was revoked.
    expect(await play(steps)).toBe(6);
  });
});
