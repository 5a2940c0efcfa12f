import { describe, expect, it } from '@jest/globals';
import { asAmount, type Address, type EpochId } from '@usufruct/kernel';
import { Book, EpochTree, ISSUANCE_ACCOUNT, journalEntryOf, walletAccount } from '@usufruct/ledger';
import { epochAccountOf, receiptPoolAccountOf, zChainEvent, type EpochLeaf } from '@usufruct/protocol';
import fc from 'fast-check';
import { poolOf } from './machine/receipt-pool.js';
import { CHALLENGE_MS, CLAIM_TERM_MS, PrivateWorld, type Proposed } from './testing/private-world.js';
import { hexOf, walletOf } from './testing/world.js';

/**
 * Any sequence of private settlements, epochs, objections, disproofs, claims and sweeps, at any time. After each: the
 * book of the events has the balances of the chain, what is in pool and epochs is what the receipts set aside less what
 * was claimed and swept, and no leaf was paid twice.
 */
const step = fc.oneof(
  fc.record({
    do: fc.constant('settle' as const),
    weights: fc.array(fc.option(fc.bigInt(1n, 5n), { nil: null }), { minLength: 3, maxLength: 3 }),
  }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('propose' as const), isLate: fc.boolean() }) },
  fc.record({ do: fc.constant('object' as const), which: fc.nat(3), member: fc.nat(2) }),
  fc.record({ do: fc.constant('disprove' as const), which: fc.nat(3), often: fc.nat(5) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('claim' as const), which: fc.nat(3), leaf: fc.nat(2) }) },
  fc.record({ do: fc.constant('sweep' as const), which: fc.nat(3) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, CHALLENGE_MS, CHALLENGE_MS, CLAIM_TERM_MS) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Play {
  readonly #proposed: Proposed[] = [];
  readonly #claimed = new Set<string>();
  readonly #book = new Book();
  #seen = 0;
  #questions = 0;
  #job = 0;
  succeeded = 0;

  constructor(readonly world: PrivateWorld) {}

  async step(s: Step): Promise<void> {
    if (s.do === 'wait') this.world.clock.advance(s.ms);
    else if (await this.#act(s)) this.succeeded += 1;
    this.#check();
  }

  async #act(s: Exclude<Step, { do: 'wait' }>): Promise<boolean> {
    const { world } = this;
    if (s.do === 'settle') return this.#settle(s.weights);
    if (s.do === 'propose') return this.#propose(s.isLate);
    const epoch = this.#proposed[s.which];
    if (epoch === undefined) return false;
    if (s.do === 'object') return this.#sent(world.operators[s.member]!, world.objection(epoch, s.member));
    if (s.do === 'sweep') return this.#sent(world.stranger, world.sweep(epoch));
    if (s.do === 'claim') {
      if (epoch.built.leaves[s.leaf] === undefined) return false;
      return this.#sent(world.stranger, world.claim(epoch, s.leaf));
    }
    // Seldom: it ends the settler.
    if (s.often > 0) return false;
    const { number, attempt, fromReceipt, toReceipt } = world.store.read('epoch', epoch.id)!;
    const receipts = [...world.receipts];
    if (poolOf(world.store, world.daoId).coveredReceipts === poolOf(world.store, world.daoId).receiptCount) {
      world.receipts.push(receipts[0]!);
    }
    const other = await world.epoch({ number, attempt, fromReceipt, toReceipt, root: hexOf('other') });
    world.receipts.splice(0, Infinity, ...receipts);
    return this.#sent(world.stranger, world.equivocation(epoch, other));
  }

  /** In a job that goes on, or in a new one. */
  async #settle(weights: (bigint | null)[]): Promise<boolean> {
    const { world } = this;
    if (this.#questions % 10 === 0 || world.store.read('job', this.#jobId())!.expiresAtMs <= world.clock.nowMs()) {
      this.#job += 1;
      await world.run(world.requester, world.job({ salt: hexOf(`job ${this.#job}`), maxQuestions: 10 }));
    }
    this.#questions += 1;
    try {
      await world.settle(this.#questions, weights, { jobId: this.#jobId() });
      return true;
    } catch (refused) {
      // The settler was withdrawn.
      expect(String(refused)).toContain('RUNNER_NOT_REGISTERED');
      return false;
    }
  }
  #jobId() {
    return this.world.derive<ReturnType<PrivateWorld['derive']> & typeof this.world.jobId>(
      'job',
      this.world.datasetId,
      this.world.requester,
      `job ${this.#job}`,
    );
  }

  async #propose(isLate: boolean): Promise<boolean> {
    const { world } = this;
    const pool = poolOf(world.store, world.daoId);
    if (!world.receipts.slice(Number(pool.coveredReceipts)).some((receipt) => receipt.priceUnits > 0n)) return false;
    const last = world.store.read('epoch-attempt', `${world.daoId}/${pool.epochCount + 1n}`)?.attempt ?? 0;
    const epoch = await world.epoch({ attempt: isLate ? Math.max(last, 1) : last + 1 });
    if (!(await this.#sent(world.stranger, epoch.action))) return false;
    this.#proposed.push(epoch);
    return true;
  }

  async #sent(...[signer, action]: Parameters<PrivateWorld['submit']>): Promise<boolean> {
    return (await this.world.submit(signer, action!)).status === 'succeeded';
  }

  #check(): void {
    const { world } = this;
    const events = world.store.events(this.#seen, 1_000, 10 ** 9).map((text) => zChainEvent.parse(JSON.parse(text)));
    this.#seen += events.length;
    for (const event of events) {
      this.#book.record(journalEntryOf(event));
      if (event.data.type !== 'PayoutClaimed') continue;
      const { epochId, index, account, amountUnits } = event.data;
      expect(this.#claimed.has(`${epochId} ${index}`)).toBe(false);
      this.#claimed.add(`${epochId} ${index}`);
      const leaf = this.#proposed.find(({ id }) => id === epochId)!.built.leaves[index]!;
      expect([leaf.account, leaf.amountUnits]).toEqual([account, amountUnits]);
    }
    this.#book.assertBacked();
    for (const account of this.#book.accounts()) {
      if (account === ISSUANCE_ACCOUNT || !account.startsWith('wallet:')) continue;
      expect(this.#book.balanceOf(account)).toBe(world.balanceOf({ address: account.slice('wallet:'.length) }));
    }
    this.#checkEpochs();
  }

  /** Every unit that was set aside is in the pool, in an open epoch, claimed or swept. */
  #checkEpochs(): void {
    const { world } = this;
    const pool = poolOf(world.store, world.daoId);
    let taken = 0n;
    for (const { id } of this.#proposed) {
      const { state, totalUnits, claimedUnits } = world.store.read('epoch', id)!;
      const held = this.#book.balanceOf(walletAccount(epochAccountOf(id)));
      expect(held).toBe(state === 'open' ? totalUnits - claimedUnits : 0n);
      expect(claimedUnits <= totalUnits).toBe(true);
      if (state !== 'rejected') taken += totalUnits;
    }
    expect(this.#book.balanceOf(walletAccount(receiptPoolAccountOf(world.daoId)))).toBe(pool.pooledUnits - taken);
  }
}

async function play(steps: readonly Step[]): Promise<number> {
  const world = await PrivateWorld.asked();
  await world.run(world.requester, world.mint(world.requester, 1_000_000_000n));
  const playing = new Play(world);
  for (const s of steps) await playing.step(s);
  return playing.succeeded;
}

describe('any sequence of private settlements, epochs and claims', () => {
  it('conserves every unit, and pays nobody twice', async () => {
    const sequence = fc.array(step, { minLength: 15, maxLength: 45 });
    await fc.assert(
      fc.asyncProperty(sequence, async (steps) => void (await play(steps))),
      { numRuns: 12 },
    );
  });

  it('gets somewhere in a sequence that is made to', async () => {
    const settle: Step = { do: 'settle', weights: [2n, 1n, 1n] };
    const wait: Step = { do: 'wait', ms: CHALLENGE_MS };
    const claim = (which: number, leaf: number): Step => ({ do: 'claim', which, leaf });
    const propose = (isLate: boolean): Step => ({ do: 'propose', isLate });
    const object = (member: number): Step => ({ do: 'object', which: 0, member });
    const disprove: Step = { do: 'disprove', which: 2, often: 0 };
    const end: Step = { do: 'wait', ms: CLAIM_TERM_MS };
    const rejected = [settle, settle, propose(false), object(0), object(1), propose(true)];
    const claimed = [propose(false), claim(1, 0), wait, claim(1, 0), claim(1, 0), claim(1, 2)];
    const disproven = [settle, propose(false), disprove, settle];
    const steps = [...rejected, ...claimed, ...disproven, end, { do: 'sweep', which: 1 } as const];
    // Refused: the attempt that was taken, the claim in the window and the second claim, and what the withdrawn settler signed.
    expect(await play(steps)).toBe(12);
  });
});

describe('an epoch of 100,000 leaves', () => {
  it('pays the first, the last and any other, once each', async () => {
    const world = await PrivateWorld.settled({ challengeMs: 0 });
    const { built } = await world.epoch();
    const total = built.totalUnits;
    const count = 100_000;
    const owner = (i: number): Address =>
      i === count - 1 ? walletOf('last').address : (`0x${(i + 1).toString(16).padStart(64, '0')}` as Address);
    const leaves = Array.from({ length: count }, (_, index): EpochLeaf => {
      // 1,400,000 by 100,000.
      const amountUnits = asAmount(total / BigInt(count));
      return { daoId: world.daoId, number: 1n, index, account: owner(index), amountUnits, salt: owner(index) };
    });
    const tree = new EpochTree(leaves);
    const { action, id } = await world.epoch({ root: tree.root, leafCount: count });
    await world.run(world.stranger, action);
    const large: Proposed = { id: id as EpochId, action, built: { leaves, tree, totalUnits: total } };
    for (const index of [count - 1, 0, 65_536, 77_777]) {
      await world.run(world.stranger, world.claim(large, index));
      expect(world.balanceOf({ address: owner(index) })).toBe(14n);
      expect(await world.refusal(world.stranger, world.claim(large, index))).toBe('ALREADY_CLAIMED');
    }
    expect(world.store.read('epoch', id)!.claimedUnits).toBe(56n);
    // 17 siblings: 2¹⁷ is the first power of two that is not below 100,000.
    expect(tree.proofOf(0)).toHaveLength(17);
  }, 240_000);
});
