import type { Address, ContributionId } from '@usufruct/kernel';
import { z } from 'zod';
import { zAmount, zHex32 } from './wire.js';

/** One payment of a settlement. */
export const PAYEE_ROLES = ['contributor', 'treasury', 'runner', 'protocol'] as const;
export const zPayout = z.object({
  account: zHex32<Address>(),
  role: z.enum(PAYEE_ROLES),
  contributionId: zHex32<ContributionId>().nullable(),
  amountUnits: zAmount,
});
export type Payout = z.output<typeof zPayout>;
