import { asAmount } from '@usufruct/kernel';
import type { Actor } from '../play/actor.js';
import { EVERYBODY, REQUESTERS } from '../play/cast.js';
import * as move from '../play/move-text.js';

/** The faucet of the local chain; on the other side the test coin is minted, which no contract of ours has a say in. */
export const mint: Actor = {
  kind: 'mint',
  weight: 3,
  twists: [],
  attempt({ random }) {
    const to = random.chance(0.8) ? random.pick(REQUESTERS) : random.pick(EVERYBODY);
    const amountUnits = asAmount(
      BigInt(random.pick([21, 3_000_003, 50_000_000, 1_000_000_000_000, 1_000_000_000_000])),
    );
    const call = move.call('stage::mint', move.address(to), move.number(amountUnits));
    return { sender: to, action: { kind: 'mint', to, amountUnits }, call };
  },
  refusals: {},
};

/** On Sui a transfer of coins, which no contract of ours has a say in: played so that balances move. */
export const transfer: Actor = {
  kind: 'transfer',
  weight: 2,
  twists: [],
  attempt({ ledger, random }) {
    const rich = EVERYBODY.filter((account) => ledger.balanceOf(account) > 0n);
    if (rich.length === 0) return null;
    const sender = random.pick(rich);
    const to = random.pick(EVERYBODY);
    const balance = ledger.balanceOf(sender);
    const amountUnits = asAmount(random.chance(0.3) ? balance : (balance + 1n) / 2n);
    const call = move.call('stage::transfer', move.address(sender), move.address(to), move.number(amountUnits));
    return { sender, action: { kind: 'transfer', to, amountUnits }, call };
  },
  refusals: {},
};
