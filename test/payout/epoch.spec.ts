import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { WalletSigner } from '@usufruct/chain';
import { asAmount, refuse, sumUnits, toBase64, type Address, type Digest } from '@usufruct/kernel';
import { epochPartsOf } from '@usufruct/ledger';
import { EpochStatementBcs, LIMITS, receiptDigest, type ChainAction, type EpochView } from '@usufruct/protocol';
import type { RunnerContext } from '../../apps/enclave-runner/src/context.js';
import type { HolderPort } from '../../apps/enclave-runner/src/keys/holder-port.js';
import type { BatchRules } from '../../apps/enclave-runner/src/payout/batch.js';
import { EpochSettler } from '../../apps/enclave-runner/src/payout/epoch-settler.js';
import { PayoutStore } from '../../apps/enclave-runner/src/payout/payout-store.js';
import { CHALLENGE_MS } from '../../apps/local-chain/src/testing/private-world.js';
import { signingKeyOf, walletOf } from '../../apps/local-chain/src/testing/world.js';
import {
  ALL,
  FIRST,
  SECOND,
  world,
  stores,
  storedOpenings,
  chainThatSends,
  chainWith,
  unsent,
  holdersWith,
  startAgain,
  useWorld,
} from './in-world.js';

const MINUTE_MS = 60_000;
/** Whatever pays somebody is divided at once. */
const AT_ONCE: BatchRules = { leastReceipts: 1, longestWaitMs: 0, mostReceipts: LIMITS.receiptsPerEpoch };
const epochs = (): Promise<EpochView[]> => world.chainClient().epochsOf(world.daoId);

useWorld(ALL);

describe('an epoch', () => {
  function settler(
    changes: Partial<RunnerContext> = {},
    store = new PayoutStore(':memory:'),
    rules: Partial<BatchRules> = {},
  ): EpochSettler {
    stores.add(store);
    return new EpochSettler(world.runner(changes), store, { ...AT_ONCE, ...rules });
  }
  /** As `settledWith`, sent by the runner itself: it looks after the DAOs that it has settled for. */
  async function settled(question: number, weights: readonly (bigint | null)[], members = ALL): Promise<void> {
    const opening = await world.opening(question, weights);
    for (const n of members) await world.ask(n, '/v1/openings', await world.sealed(n, opening));
    await world.settle(question, weights);
  }
  beforeEach(async () => {
    const run = world.run.bind(world);
    // The world's receipts are sent by a stranger; here the runner sends them.
    world.run = (signer: WalletSigner, ...actions: ChainAction[]) =>
      run(actions.some(({ kind }) => kind === 'settlePrivately') ? world.runnerWallet : signer, ...actions);
  });
  async function claimedBy(account: Address): Promise<bigint> {
    for (const epoch of await epochs()) {
      const proven = await world.holders[0]!.holder.epochs.leafOf(world.daoId, epoch.id, account);
      if (proven === null || (await world.chainClient().isClaimed(epoch.id, proven.leaf.index))) continue;
      const { index, amountUnits, salt } = proven.leaf;
      const { proof } = proven;
      await world.run(world.stranger, {
        kind: 'claimPayout',
        epochId: epoch.id,
        index,
        account,
        amountUnits,
        salt,
        proof,
      });
    }
    return world.balanceOf({ address: account });
  }

  it('is made of what waits, and everybody can claim what direct payout would have given', async () => {
    await settled(1, FIRST);
    await settled(2, SECOND);
    await settler().round();
    expect(await epochs()).toMatchObject([{ number: 1n, attempt: 1, fromReceipt: 1n, toReceipt: 2n, leafCount: 3 }]);
    world.clock.advance(CHALLENGE_MS);
    const expected = epochPartsOf(world.receipts);
    expect(sumUnits(expected.map(({ amountUnits }) => amountUnits))).toBe(1_400_000n);
    for (const { account, amountUnits } of expected) expect(await claimedBy(account)).toBe(amountUnits);
  });

  it('waits for the window of the one before, a pause, and something to pay', async () => {
    const context = world.runner();
    let asked = 0;
    const counting = context.holders.map((holder): HolderPort => ({
      ...holder,
      openings: (request) => {
        asked += 1;
        return holder.openings(request);
      },
    }));
    const one = settler({ holders: counting });
    await settled(1, [null, null, null]);
    await one.round();
    expect(await epochs()).toEqual([]);
    await settled(2, FIRST);
    await one.round();
    await settled(3, SECOND);
    expect(asked).toBe(3); // for the one that was made, each holder once
    await one.round();
    expect((await epochs()).length).toBe(1);
    // Not only the chain refuses: nothing is asked of anybody, and no attempt is signed away.
    expect(asked).toBe(3);
    world.clock.advance(CHALLENGE_MS);
    await world.run(world.founder, { kind: 'pauseDao', daoId: world.daoId });
    await one.round();
    expect((await epochs()).map(({ toReceipt }) => toReceipt)).toEqual([2n]);
    expect(asked).toBe(3);
  });

  it('of zero is made of free receipts that are as many as an epoch covers, so that they hold up nothing', async () => {
    await settled(1, [null, null, null]);
    const one = settler({}, undefined, { leastReceipts: 2, longestWaitMs: MINUTE_MS * 30, mostReceipts: 2 });
    await one.round();
    expect(await epochs()).toEqual([]);
    await settled(2, [null, null, null]);
    await one.round();
    expect(await epochs()).toMatchObject([{ toReceipt: 2n, totalUnits: 0n, leafCount: 1 }]);
    world.clock.advance(CHALLENGE_MS);
    await settled(3, FIRST);
    await one.round();
    expect((await epochs()).length).toBe(1);
    world.clock.advance(MINUTE_MS * 30);
    await one.round();
    expect(await epochs()).toMatchObject([{}, { number: 2n, fromReceipt: 3n, toReceipt: 3n, totalUnits: 700_000n }]);
  });

  it('waits for a batch, so that no claim tells of one question, or until the oldest has waited long', async () => {
    const rules = { leastReceipts: 2, longestWaitMs: 10 * MINUTE_MS };
    const store = new PayoutStore(':memory:');
    await settled(1, FIRST);
    await settled(2, [null, null, null]);
    world.clock.advance(10 * MINUTE_MS - 1);
    await settler({}, store, rules).round();
    expect(await epochs()).toEqual([]);
    await settled(3, SECOND);
    await settler({}, store, rules).round();
    expect(await epochs()).toMatchObject([{ toReceipt: 3n }]);
  });

  it('is made once by two runners that do it at once', async () => {
    await settled(1, FIRST);
    const key = signingKeyOf('second runner');
    const [keys, wallet] = [await world.keysOf(key), walletOf('second runner')];
    const { signingPublicKey, hpkePublicKey } = keys.bound;
    const statement = world.statement({ signingPublicKey, hpkePublicKey, payTo: wallet.address });
    await world.run(world.stranger, await world.registration(statement));
    // It has settled for this DAO, too.
    await world.run(world.requester, { kind: 'transfer', to: wallet.address, amountUnits: 1n as never });
    const opening = await world.opening(2, SECOND, { signerPublicKey: key.publicKey }, key);
    for (const holder of world.holders) {
      await world.release(holder, world.contributionIds, { runnerSigningKey: key.publicKey });
    }
    for (const n of ALL) await world.ask(n, '/v1/openings', await world.sealed(n, opening));
    const { receipt, signature } = opening;
    const acknowledgements = await world.acknowledgements(receipt);
    await world.submit(wallet, { kind: 'settlePrivately', receipt, signature, acknowledgements });
    const both = [settler(), settler({ keys, wallet })];
    await Promise.all(both.map((one) => one.round()));
    await Promise.all(both.map((one) => one.round()));
    expect((await epochs()).map(({ number, state, toReceipt }) => [number, state, toReceipt])).toEqual([
      [1n, 'open', 2n],
    ]);
    world.clock.advance(CHALLENGE_MS);
    await Promise.all(both.map((one) => one.round()));
    expect((await epochs()).length).toBe(1);
  });

  it('is countersigned by a holder that was given what it had missed', async () => {
    await settled(1, FIRST, [0, 1]);
    await settled(2, SECOND, [1, 2]);
    await world.holders[1]!.close();
    expect([storedOpenings(0), storedOpenings(2)]).toEqual([1, 1]);
    await settler().round();
    expect(await epochs()).toMatchObject([{ fromReceipt: 1n, toReceipt: 2n }]);
    expect([storedOpenings(0), storedOpenings(2)]).toEqual([2, 2]);
  });

  it('covers as many receipts as enough holders can vouch for, and the next one the rest', async () => {
    // Holder 2 was away when the keys were released, so it cannot vouch for those uses.
    await startAgain([0, 1]);
    await world.startHolder(2);
    const run = world.run.bind(world);
    world.run = (signer, ...actions) =>
      run(actions.some(({ kind }) => kind === 'settlePrivately') ? world.runnerWallet : signer, ...actions);
    await settled(1, FIRST, [0, 1]);
    const one = settler();
    await one.round();
    expect(await epochs()).toMatchObject([{ number: 1n, toReceipt: 1n }]);
    world.clock.advance(CHALLENGE_MS);
    await settled(2, SECOND, [0, 1]);
    await world.holders[0]!.close();
    await one.round();
    expect((await epochs()).length).toBe(1);
    await world.startHolder(0);
    await settler().round();
    expect(await epochs()).toMatchObject([{ number: 1n }, { number: 2n, fromReceipt: 2n, toReceipt: 2n }]);
  });

  it('begins after what was written off, under an attempt that nobody has signed', async () => {
    const signed: { attempt: number; fromReceipt: bigint }[] = [];
    let isDeaf = true;
    const context = world.runner();
    const holders = context.holders.map((holder): HolderPort => ({
      ...holder,
      countersign: async (request) => {
        const { attempt, fromReceipt } = EpochStatementBcs.parse(Buffer.from(request.statement, 'base64'));
        signed.push({ attempt, fromReceipt });
        return isDeaf ? Promise.reject(refuse('UPSTREAM_UNAVAILABLE')) : holder.countersign(request);
      },
    }));
    await settled(1, FIRST);
    await settled(2, SECOND);
    const one = settler({ holders });
    await one.round();
    expect(await epochs()).toEqual([]);
    world.clock.advance(LIMITS.writeOffAfterMs);
    await world.decided({ kind: 'writeOffReceipts', fromReceipt: 1n, toReceipt: 1n });
    const { signingPublicKey, hpkePublicKey } = world.runnerKeys.bound;
    await world.run(world.stranger, await world.registration(world.statement({ signingPublicKey, hpkePublicKey })));
    isDeaf = false;
    await one.round();
    expect(await epochs()).toMatchObject([{ number: 1n, attempt: 2, fromReceipt: 2n, toReceipt: 2n }]);
    expect(new Set(signed.map(({ attempt, fromReceipt }) => `${attempt} from ${fromReceipt}`))).toEqual(
      new Set(['1 from 1', '2 from 2']),
    );
  });

  it('that was rejected is made again, of the next attempt', async () => {
    await settled(1, FIRST);
    const one = settler();
    await one.round();
    const [first] = await epochs();
    for (const member of [0, 1]) await world.run(world.operators[member]!, world.objection({ id: first!.id }, member));
    await one.round();
    expect((await epochs()).map(({ attempt, state }) => [attempt, state])).toEqual([
      [1, 'rejected'],
      [2, 'open'],
    ]);
  });

  it('is never signed twice for one attempt, whatever becomes of it', async () => {
    const statements: Uint8Array[] = [];
    const context = world.runner();
    const spying = context.holders.map((holder): HolderPort => ({
      ...holder,
      countersign: (request) => {
        statements.push(new Uint8Array(Buffer.from(request.statement, 'base64')));
        return Promise.reject(refuse('UPSTREAM_UNAVAILABLE'));
      },
    }));
    await settled(1, FIRST);
    await settled(2, SECOND);
    const one = settler({ holders: spying });
    for (let i = 0; i < 3; i++) await one.round();
    world.clock.advance(LIMITS.receiptFreshnessMs / 2);
    await one.round();
    const byAttempt = new Map<number, Set<string>>();
    for (const bytes of statements) {
      const { attempt } = EpochStatementBcs.parse(bytes);
      byAttempt.set(attempt, (byAttempt.get(attempt) ?? new Set()).add(toBase64(bytes)));
    }
    expect([...byAttempt].map(([attempt, { size }]) => [attempt, size])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  it('is one that honest holders can sign, whatever another says that it has and does not sign', async () => {
    await settled(1, FIRST);
    // Holder 1 lacks the second and is given none: it can follow the first only.
    await settled(2, SECOND, [0, 2]);
    const context = world.runner();
    const deaf = holdersWith(context, 1, { deliverOpening: () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE')) });
    const lying: Partial<HolderPort> = { countersign: () => Promise.reject(refuse('EPOCH_INVALID')) };
    const one = settler({ holders: holdersWith({ ...context, holders: deaf }, 2, lying) });
    await one.round();
    expect(await epochs()).toEqual([]);
    await one.round();
    expect(await epochs()).toMatchObject([{ number: 1n, attempt: 2, fromReceipt: 1n, toReceipt: 1n }]);
  });

  it('takes an attempt only when it is signed', async () => {
    await settled(1, FIRST);
    const chain = world.chainClient();
    let isDown = true;
    const one = settler({
      chain: chainWith('job', (really) => (isDown ? () => Promise.reject(refuse('CHAIN_UNAVAILABLE')) : really)),
    });
    for (let i = 0; i < 3; i++) await one.round();
    isDown = false;
    await one.round();
    expect(await chain.epochsOf(world.daoId)).toMatchObject([{ attempt: 1, state: 'open' }]);
  });

  it('is signed for no attempt that the chain would not take', async () => {
    await settled(1, FIRST);
    const attempts: number[] = [];
    const context = world.runner();
    const countersign: HolderPort['countersign'] = ({ statement }) => {
      attempts.push(EpochStatementBcs.parse(Buffer.from(statement, 'base64')).attempt);
      return Promise.reject(refuse('UPSTREAM_UNAVAILABLE'));
    };
    const holders = context.holders.map((holder): HolderPort => ({ ...holder, countersign }));
    const store = new PayoutStore(':memory:');
    stores.add(store);
    const one = new EpochSettler({ ...context, holders }, store, AT_ONCE, 2);
    for (let i = 0; i < 4; i++) {
      await one.round();
      world.clock.advance(LIMITS.receiptFreshnessMs / 2);
    }
    expect([...new Set(attempts)]).toEqual([1, 2]);
  });

  it('whose proposal was not answered is looked up, and sent again as it is', async () => {
    await settled(1, FIRST);
    const sent: Digest[] = [];
    let mode: 'lost' | 'unsent' | 'good' = 'unsent';
    const chain = chainThatSends((really) => async (transaction) => {
      sent.push(transaction.digest);
      if (mode === 'unsent') throw refuse('SETTLEMENT_UNKNOWN');
      const outcome = await really(transaction);
      if (mode === 'lost') throw refuse('SETTLEMENT_UNKNOWN');
      return outcome;
    });
    const store = new PayoutStore(':memory:');
    await settler({ chain }, store).round();
    expect(store.proposal(world.daoId)).not.toBeNull();
    mode = 'lost';
    await settler({ chain }, store).round(); // another process
    mode = 'good';
    await settler({ chain }, store).round();
    expect(new Set(sent).size).toBe(1);
    expect(sent.length).toBe(2);
    expect([(await epochs()).length, store.proposal(world.daoId)]).toEqual([1, null]);
  });

  it('is not signed when the receipts give another sum than the chain has set aside', async () => {
    await settled(1, FIRST);
    const more = chainWith(
      'events',
      (really) =>
        async (...question) =>
          (await really(...question)).map((event) =>
            event.data.type === 'ReceiptSettledPrivately'
              ? { ...event, data: { ...event.data, pooledUnits: asAmount(event.data.pooledUnits + 1n) } }
              : event,
          ),
    );
    await settler({ chain: more }).round();
    expect(await epochs()).toEqual([]);
    await settler().round();
    expect((await epochs()).length).toBe(1);
  });

  describe('that a holder had no part in', () => {
    /** What the holder has of each of the accounts' leaves, of the first epoch. */
    const leavesAt = async (n: number) => {
      const [epoch] = await epochs();
      const accounts = epochPartsOf(world.receipts).map(({ account }) => account);
      const { epochs: kept } = world.holders[n]!.holder;
      return Promise.all(accounts.map((account) => kept.leafOf(world.daoId, epoch!.id, account)));
    };
    const lateIn = (store: PayoutStore): [string, number][] =>
      store.late.of(world.daoId).flatMap(({ id, seeds }) => seeds.map(({ tries }): [string, number] => [id, tries]));
    /** Made with holders 0 and 1; holder 2 was away, from before the openings were delivered where it lacks them. */
    async function madeWithout(store: PayoutStore, members = ALL): Promise<EpochSettler> {
      await settled(1, FIRST, members);
      await settled(2, SECOND, members);
      await world.holders[2]!.close();
      const one = settler({}, store);
      await one.round();
      expect(await epochs()).toMatchObject([{ state: 'open', toReceipt: 2n }]);
      return one;
    }
    const NONE = [null, null, null];

    it.each([
      ['with the openings', ALL],
      ['without the openings, which the others have', [0, 1]],
    ])('is brought to it when it is back %s, and it can give every account its leaf', async (_name, members) => {
      const store = new PayoutStore(':memory:');
      await madeWithout(store, members);
      await world.startHolder(2);
      expect(await leavesAt(2)).toEqual(NONE);
      const back = settler({}, store); // it answers at another address
      await back.round();
      expect(await leavesAt(2)).toEqual(await leavesAt(0));
      expect(await leavesAt(2)).not.toContain(null);
      expect(lateIn(store)).toEqual([]);
      let asked = 0;
      const counting = { countersign: () => Promise.reject(new Error(`${asked++}`)) };
      await settler({ holders: holdersWith(world.runner(), 2, counting) }, store).round();
      expect(asked).toBe(0);
    });

    it('is brought to it by the runner’s next process, from what is sealed on its disk', async () => {
      const folder = join(world.folderOf(0), 'runner-payout');
      const before = PayoutStore.openIn(folder);
      const seeds: Uint8Array[] = [];
      await settled(1, FIRST);
      await settled(2, SECOND);
      await world.holders[2]!.close();
      const random: RunnerContext['random'] = (length) => {
        const bytes = world.runner().random(length);
        seeds.push(bytes);
        return bytes;
      };
      await settler({ random }, before).round();
      expect((await epochs()).length).toBe(1);
      before.close();
      stores.delete(before);
      const files = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
      expect(files.includes(Buffer.from(receiptDigest((await world.opening(1, FIRST)).receipt)))).toBe(true);
      expect(seeds.length).toBeGreaterThan(0);
      for (const seed of seeds) expect(files.includes(Buffer.from(seed))).toBe(false);
      await world.startHolder(2);
      // Another process: its keys are others, and nobody has registered them.
      const keys = await world.keysOf(signingKeyOf('after the restart'));
      await settler({ keys }, PayoutStore.openIn(folder)).round();
      expect(await leavesAt(2)).toEqual(await leavesAt(0));
    });

    it('is kept for it while it is away, and asked of it less and less often while it refuses', async () => {
      const store = new PayoutStore(':memory:');
      const one = await madeWithout(store);
      const [{ id }] = (await epochs()) as [EpochView];
      for (let i = 0; i < 3; i++) await one.round();
      expect(lateIn(store)).toEqual([[id, 0]]);
      await world.startHolder(2);
      let asked = 0;
      const refusing: Partial<HolderPort> = {
        countersign: () => {
          asked += 1;
          return Promise.reject(refuse('EPOCH_INVALID', { check: 'root' }));
        },
      };
      const other = settler({ holders: holdersWith(world.runner(), 2, refusing) }, store);
      for (let minute = 0; minute <= 15; minute++) {
        await other.round();
        world.clock.advance(MINUTE_MS);
      }
      expect(asked).toBe(5); // in minutes 0, 1, 3, 7 and 15
      expect(lateIn(store)).toEqual([[id, 5]]);
      world.clock.advance(16 * MINUTE_MS);
      await settler({}, store).round();
      expect(await leavesAt(2)).toEqual(await leavesAt(0));
    });

    it('is forgotten when it was rejected', async () => {
      const store = new PayoutStore(':memory:');
      const one = await madeWithout(store);
      const [first] = (await epochs()) as [EpochView];
      for (const n of [0, 1]) await world.run(world.operators[n]!, world.objection({ id: first.id }, n));
      await one.round();
      const [, second] = await epochs();
      expect(lateIn(store)).toEqual([[second!.id, 0]]);
    });

    it('is forgotten when it was swept, and for a holder that was retired', async () => {
      const store = new PayoutStore(':memory:');
      await madeWithout(store);
      const [epoch] = (await epochs()) as [EpochView];
      const copy = store.late.of(world.daoId)[0]!;
      await world.run(world.operators[2]!, { kind: 'tombstoneHolder', holderSetId: world.holderSetId, member: 2 });
      await settler({}, store).round();
      expect(lateIn(store)).toEqual([]);
      const elsewhere = {
        ...copy,
        seeds: [{ ...copy.seeds[0]!, holderKey: toBase64(world.holderKeys[0]!.publicKey) }],
      };
      store.late.add(elsewhere);
      world.clock.advance(CHALLENGE_MS + epoch.claimTermMs);
      await world.run(world.stranger, { kind: 'sweepEpoch', epochId: epoch.id });
      await settler({}, store).round();
      expect(lateIn(store)).toEqual([]);
    });

    it('and that never came on the chain is forgotten when it cannot come there any more', async () => {
      const store = new PayoutStore(':memory:');
      await settled(1, FIRST);
      await world.holders[2]!.close();
      let isDown = true;
      const chain = chainThatSends((really) => (transaction) => (isDown ? unsent(transaction) : really(transaction)));
      const one = settler({ chain }, store);
      await one.round();
      expect([lateIn(store).length, (await epochs()).length]).toEqual([1, 0]);
      await one.round();
      expect(lateIn(store).length).toBe(1);
      world.clock.advance(LIMITS.receiptFreshnessMs + LIMITS.transactionTermMs + LIMITS.clockSkewMs + 1);
      isDown = false;
      await one.round();
      const [made] = await epochs();
      expect(lateIn(store).map(([id]) => id)).toEqual([made!.id]);
    });

    it('waits with all others for a holder that stops answering, oldest first', async () => {
      const store = new PayoutStore(':memory:');
      await world.holders[2]!.close();
      const one = settler({}, store);
      for (const weights of [FIRST, SECOND]) {
        await settled(world.receipts.length + 1, weights, [0, 1]);
        await one.round();
        world.clock.advance(CHALLENGE_MS);
      }
      const ids = (await epochs()).map(({ id }) => id);
      expect(ids.length).toBe(2);
      await world.startHolder(2);
      const hanging = { countersign: () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE')) };
      await settler({ holders: holdersWith(world.runner(), 2, hanging) }, store).round();
      expect(lateIn(store)).toEqual([
        [ids[0], 1],
        [ids[1], 0],
      ]);
    });

    it('is not kept where all have signed it', async () => {
      const store = new PayoutStore(':memory:');
      await settled(1, FIRST);
      await settler({}, store).round();
      expect([lateIn(store), (await epochs()).length]).toEqual([[], 1]);
    });
  });

  it('is proposed without a countersignature that its holder did not make', async () => {
    await settled(1, FIRST);
    const forged = { countersign: async () => ({ signature: toBase64(new Uint8Array(64)) }) };
    await settler({ holders: holdersWith(world.runner(), 1, forged) }).round();
    expect(await epochs()).toMatchObject([{ attempt: 1, state: 'open' }]);
  });

  it('is not made when the holders’ openings are not what the chain has set aside for', async () => {
    await settled(1, FIRST);
    const context = world.runner();
    const one = settler({
      holders: context.holders.map((holder) => ({ ...holder, openings: async () => ({ sealedOpenings: '' }) })),
    });
    await one.round();
    expect(await epochs()).toEqual([]);
    world.clock.advance(MINUTE_MS);
    await settler().round();
    expect((await epochs()).length).toBe(1);
  });
});
