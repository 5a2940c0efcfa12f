import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { refuse, toBase64Url, utf8, type Address, type Clock } from '@usufruct/kernel';
import { deriveKey } from '../auth/index.js';
import type { Config } from '../config/config.js';
import { PrismaService, toDate, toMs } from '../prisma/index.js';
import { CLOCK, CONFIG } from '../tokens.js';
import type { NoticeContact } from '../prisma/generated/client.js';
import { requireWebhookUrl } from './public-address.js';
import { webhookSecret } from './webhook.js';

export interface ContactChange {
  /** Null takes it away. */
  readonly webhookUrl: string | null;
  readonly email: string | null;
}
export interface Contact {
  readonly webhookUrl: string | null;
  readonly email: string | null;
  readonly emailConfirmed: boolean;
}
export interface ChangedContact extends Contact {
  /** Said when the webhook was set or changed, and never again. */
  readonly webhookSecret: string | null;
}

/** So often may an address have a code sent to a mailbox that may be somebody else's. */
const ASK_AGAIN_MS = 60 * 60_000;
const LONGEST_EMAIL = 254;
/** One mailbox: no list, no display name, no comment, nothing that ends a header. */
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,188}[A-Za-z0-9])?$/;

/** Where addresses want to be told things. The wallet's session is what proves who asks. */
@Injectable()
export class Contacts {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
  ) {}

  async of(address: Address): Promise<Contact> {
    return toContact(await this.prisma.noticeContact.findUnique({ where: { address } }));
  }

  /**
   * Replaces both. Says the code that proves the mailbox, where one must be mailed; refuses `INVALID_ARGUMENT` for
   * what is no address, or for a mailbox where no mail can be sent, and `RATE_LIMITED`.
   */
  async change(address: Address, change: ContactChange): Promise<{ contact: ChangedContact; code: string | null }> {
    const { webhookUrl, email } = this.checked(change);
    const now = this.clock.nowMs();
    return this.prisma.$transaction(async (tx) => {
      await tx.noticeContact.createMany({ data: [{ address }], skipDuplicates: true });
      // The row is locked, so that of two changes at once the second sees the first.
      await tx.$queryRaw`select 1 from notice_contact where address = ${address} for update`;
      const before = await tx.noticeContact.findUniqueOrThrow({ where: { address } });
      const isNewHook = webhookUrl !== before.webhookUrl;
      const isNewMail = email !== before.email;
      const isRecent = before.emailAskedAt !== null && now - toMs(before.emailAskedAt) < ASK_AGAIN_MS;
      if (email !== null && isNewMail && isRecent) throw refuse('RATE_LIMITED', { field: 'email' });
      // The same mailbox, not confirmed yet, is asked again when the first code may have been lost.
      const asks = email !== null && (isNewMail || (before.emailConfirmedAt === null && !isRecent));
      const after = await tx.noticeContact.update({
        where: { address },
        data: {
          webhookUrl,
          email,
          ...(isNewHook && { webhookVersion: { increment: 1 } }),
          ...(isNewMail && { emailConfirmedAt: null }),
          ...(asks && { emailAskedAt: toDate(now) }),
        },
      });
      const tells = isNewHook && webhookUrl !== null;
      return {
        contact: { ...toContact(after), webhookSecret: tells ? webhookSecret(this.webhookKey(after)) : null },
        code: asks ? this.codeOf(address, email) : null,
      };
    });
  }

  /** Refuses `CHALLENGE_UNKNOWN` for another code than the one that was mailed. */
  async confirm(address: Address, code: string): Promise<Contact> {
    const row = await this.prisma.noticeContact.findUnique({ where: { address } });
    const email = row?.email ?? null;
    if (email === null || !same(code.trim(), this.codeOf(address, email))) throw refuse('CHALLENGE_UNKNOWN');
    const emailConfirmedAt = toDate(this.clock.nowMs());
    await this.prisma.noticeContact.updateMany({ where: { address, email }, data: { emailConfirmedAt } });
    return this.of(address);
  }

  /** Derived, so that nobody who reads the database can sign in this API's name. */
  webhookKey({ address, webhookVersion }: Pick<NoticeContact, 'address' | 'webhookVersion'>): Uint8Array {
    return this.mac('webhook', `${address}/${webhookVersion}`);
  }

  private codeOf(address: Address, email: string): string {
    return toBase64Url(this.mac('email-code', `${address}/${email}`).subarray(0, 12));
  }
  private mac(use: string, text: string): Uint8Array {
    return createHmac('sha256', deriveKey(this.config.authSecret, use)).update(text).digest();
  }

  private checked({ webhookUrl, email }: ContactChange): ContactChange {
    const { notify } = this.config;
    if (email !== null) {
      if (email.length > LONGEST_EMAIL || !EMAIL.test(email)) {
        throw refuse('INVALID_ARGUMENT', { field: 'email', expected: 'one mailbox' });
      }
      if (notify.mail.smtpUrl === undefined && notify.mail.file === undefined) {
        throw refuse('INVALID_ARGUMENT', { field: 'email', expected: 'none: this service sends no mail' });
      }
    }
    const url = webhookUrl === null ? null : requireWebhookUrl(webhookUrl, { anywhere: notify.webhooksAnywhere }).href;
    return { webhookUrl: url, email };
  }
}

const toContact = (row: NoticeContact | null): Contact => ({
  webhookUrl: row?.webhookUrl ?? null,
  email: row?.email ?? null,
  emailConfirmed: (row?.emailConfirmedAt ?? null) !== null,
});

const same = (left: string, right: string): boolean => {
  const [a, b] = [utf8(left), utf8(right)];
  return a.length === b.length && timingSafeEqual(a, b);
};
