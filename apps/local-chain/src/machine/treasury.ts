import { refuse } from '@usufruct/kernel';
import type { EffectRule } from './effect-rule.js';
import { credit, debit } from './money.js';
import { mustFind } from './room.js';

export const spendTreasury: EffectRule<'spendTreasury'> = {
  check: ({ amountUnits }) => {
    if (amountUnits === 0n) throw refuse('INVALID_ARGUMENT', { field: 'amountUnits', expected: 'more than zero' });
  },
  apply: (room, { daoId }, { to, amountUnits }) => {
    debit(room.draft, mustFind(room, 'dao', daoId).treasury, amountUnits);
    credit(room.draft, to, amountUnits);
    room.emit({ type: 'TreasurySpent', daoId, to, amountUnits });
  },
};
