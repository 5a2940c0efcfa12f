import { zTimestampMs } from '@usufruct/protocol';
import { operation, REFUSAL_FIELDS, resultOf } from '@usufruct/sdk';
import { z } from 'zod';
import type { Tone } from '../ui/layout.js';

export const zStorage = z.object({
  leaseEndEpoch: z.int(),
  epoch: z.int().nullable(),
  level: z.enum(['notice', 'urgent', 'expired']).nullable(),
  availability: z.enum(['unknown', 'readable', 'suspected', 'lost']),
  sampledAtMs: zTimestampMs.nullable(),
  renewing: z.boolean(),
});
export type Storage = z.output<typeof zStorage>;
export const STORAGE_FIELDS = 'leaseEndEpoch epoch level availability sampledAtMs renewing';

/** Such leases do not end: stores without epochs say the largest number. */
const ENDLESS_EPOCH = 2_147_483_647;

/** How a contribution lies in the store: the worst that is known comes first. */
export function storageWords(storage: Storage): { readonly words: string; readonly tone: Tone } {
  const { leaseEndEpoch, epoch, level, availability, renewing } = storage;
  if (availability === 'lost') return { words: 'not in the store any more', tone: 'bad' };
  if (leaseEndEpoch >= ENDLESS_EPOCH) return { words: 'stored until it is deleted', tone: 'good' };
  if (level === 'expired') return { words: `lease ended with epoch ${leaseEndEpoch}`, tone: 'bad' };
  if (renewing) return { words: 'lease is being renewed', tone: 'neutral' };
  if (availability === 'suspected') return { words: 'not found at the last look', tone: 'warn' };
  if (epoch === null) return { words: `until epoch ${leaseEndEpoch}`, tone: 'neutral' };
  const left = leaseEndEpoch - epoch;
  const words = `${left} ${left === 1 ? 'epoch' : 'epochs'} left`;
  return { words, tone: level === 'urgent' ? 'bad' : level === 'notice' ? 'warn' : 'good' };
}

/** What its owner can do about it; null when there is nothing to do. */
export function storageAdvice({ level, availability }: Storage): string | null {
  if (availability === 'lost') {
    return 'The store does not have its ciphertext any more. Nothing can use it and nobody is charged for it. Unless you have a copy of the ciphertext: contribute the file again, and retire this contribution.';
  }
  if (level === 'expired') {
    return 'The store may delete its ciphertext at any time. Contribute the file again, or store the same ciphertext again where it is.';
  }
  if (level === null) return null;
  return 'The store will delete its ciphertext when the lease ends. Make the lease longer where it is stored, then run usufruct contribution renew.';
}

const zContact = z.object({
  webhookUrl: z.string().nullable(),
  webhookSecret: z.string().nullable(),
  email: z.string().nullable(),
  emailConfirmed: z.boolean(),
});
export type NoticeContact = z.output<typeof zContact>;
const CONTACT_FIELDS = 'webhookUrl webhookSecret email emailConfirmed';
const RESULT_FIELDS = `... on NoticeContactType { ${CONTACT_FIELDS} } __typename ${REFUSAL_FIELDS}`;

export const NOTICE_CONTACT = operation<Record<string, never>>()(
  `query NoticeContact { noticeContact { ${CONTACT_FIELDS} } }`,
  z.object({ noticeContact: zContact }),
);
export const SET_NOTICE_CONTACT = operation<{ webhookUrl: string | null; email: string | null }>()(
  `mutation SetNoticeContact($webhookUrl: String, $email: String) {
    setNoticeContact(input: { webhookUrl: $webhookUrl, email: $email }) { ${RESULT_FIELDS} } }`,
  z.object({ setNoticeContact: resultOf(zContact) }),
);
export const CONFIRM_NOTICE_EMAIL = operation<{ code: string }>()(
  `mutation ConfirmNoticeEmail($code: String!) { confirmNoticeEmail(code: $code) { ${RESULT_FIELDS} } }`,
  z.object({ confirmNoticeEmail: resultOf(zContact) }),
);
