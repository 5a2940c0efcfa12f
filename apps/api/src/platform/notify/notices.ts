import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { asTimestampMs, toUsufructError, type Address, type Clock, type Logger } from '@usufruct/kernel';
import { parseAnswer } from '@usufruct/protocol';
import { z } from 'zod';
import type { Config } from '../config/config.js';
import { OutboxService } from '../outbox/index.js';
import { PrismaService, toDate, toJson, type Database } from '../prisma/index.js';
import type { Notice as NoticeRow } from '../prisma/generated/client.js';
import { CLOCK, CONFIG, LOGGER } from '../tokens.js';
import { Contacts } from './contacts.js';
import { openMailer, type Mailer } from './mail.js';
import { sendWebhook } from './webhook.js';

/** What is to be told. Ids, codes and counts only: a mail is read by every server on its way. */
export interface Message {
  readonly address: Address;
  /** What it is about, for the receiver's program: `storage.lease`. */
  readonly topic: string;
  /** The same thing is told once, however often it is asked for. */
  readonly dedupeKey: string;
  /** A person is not mailed for each of a thousand things alike: messages under one such key are one mail. */
  readonly mailKey: string;
  readonly data: Readonly<Record<string, string | number | null>>;
  readonly subject: string;
  readonly text: string;
}

const TASK = 'notice.send';
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 6 * 60 * 60_000;
/** 5 s doubled to 6 h: about three days in all. */
const MOST_TRIES = 24;

const zPayload = z.object({ noticeId: z.uuid() });
const zBody = z.object({
  data: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  subject: z.string(),
  text: z.string(),
  /** Of a code that proves a mailbox: it goes to this one, whatever the contact says. */
  to: z.string().optional(),
});

/** Brings messages to those whom they concern: at least once, each with an id by which a repetition is known. */
@Injectable()
export class Notices {
  private readonly mailer: Mailer | null;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly prisma: PrismaService,
    private readonly outbox: OutboxService,
    private readonly contacts: Contacts,
  ) {
    this.mailer = openMailer(config.notify.mail);
    outbox.register(TASK, (payload) => this.send(payload));
    outbox.onStart(() => this.resume());
  }

  /** In the transaction of what it tells: by each way that the address has asked for. */
  async tell(tx: Database, message: Message): Promise<void> {
    const contact = await tx.noticeContact.findUnique({ where: { address: message.address } });
    if (contact === null) return;
    const { subject, text, data } = message;
    if (contact.webhookUrl !== null) await this.add(tx, 'webhook', message, { subject, text, data });
    if (contact.email !== null && contact.emailConfirmedAt !== null) {
      await this.add(tx, 'mail', { ...message, dedupeKey: message.mailKey }, { subject, text, data });
    }
  }

  /** A code to a mailbox that nobody has confirmed yet. */
  async mailCode(address: Address, to: string, code: string): Promise<void> {
    const body = {
      data: {},
      to,
      subject: 'Confirm this mailbox',
      text: `Somebody with the wallet ${address} wants to be told here when storage of their contributions ends.\nIf that is you, confirm it with this code: ${code}\nIf not, do nothing: nothing more will come.`,
    };
    const dedupeKey = `code/${randomUUID()}`;
    await this.prisma.$transaction((tx) => this.add(tx, 'mail', { address, topic: 'contact.code', dedupeKey }, body));
  }

  private async add(
    tx: Database,
    channel: 'webhook' | 'mail',
    { address, topic, dedupeKey }: Pick<Message, 'address' | 'topic' | 'dedupeKey'>,
    body: z.input<typeof zBody>,
  ): Promise<void> {
    const id = randomUUID();
    const { count } = await tx.notice.createMany({
      data: [
        {
          id,
          address,
          channel,
          topic,
          body: toJson(body),
          dedupeKey: `${dedupeKey}/${channel}`,
          state: 'waiting',
          createdAt: toDate(this.clock.nowMs()),
        },
      ],
      skipDuplicates: true,
    });
    if (count === 1) await this.outbox.add(tx, { task: TASK, payload: { noticeId: id }, key: `notice:${id}` });
  }

  private async resume(): Promise<void> {
    const waiting = await this.prisma.notice.findMany({ where: { state: 'waiting' }, select: { id: true } });
    for (const { id } of waiting) {
      await this.outbox.add(this.prisma, { task: TASK, payload: { noticeId: id }, key: `notice:${id}` });
    }
  }

  private async send(payload: unknown): Promise<void> {
    const { noticeId: id } = parseAnswer(zPayload, payload, 'outbox');
    // Counted before it is tried: a message that kills its process is not tried for ever.
    const { count } = await this.prisma.notice.updateMany({
      where: { id, state: 'waiting' },
      data: { tries: { increment: 1 } },
    });
    if (count === 0) return;
    const notice = await this.prisma.notice.findUniqueOrThrow({ where: { id } });
    try {
      await this.deliver(notice);
      await this.end(id, 'sent');
    } catch (thrown) {
      const { code } = toUsufructError(thrown);
      const { channel, tries } = notice;
      this.logger.warn('notice_failed', { noticeId: id, channel, code, tries });
      if (tries >= MOST_TRIES) return this.end(id, 'given-up');
      const waitMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1));
      const runAtMs = asTimestampMs(this.clock.nowMs() + waitMs);
      await this.outbox.add(this.prisma, { task: TASK, payload: { noticeId: id }, key: `notice:${id}`, runAtMs });
    }
  }

  private async deliver({ id, address, channel, topic, body, createdAt }: NoticeRow): Promise<void> {
    const { data, subject, text, to } = parseAnswer(zBody, body, 'database');
    const contact = await this.prisma.noticeContact.findUnique({ where: { address } });
    if (channel === 'webhook') {
      // Taken away meanwhile: it is not wanted any more.
      if (contact === null || contact.webhookUrl === null) return;
      const message = {
        id,
        atMs: this.clock.nowMs(),
        body: JSON.stringify({ type: topic, timestamp: createdAt.toISOString(), data: { address, ...data } }),
      };
      const anywhere = this.config.notify.webhooksAnywhere;
      return sendWebhook(contact.webhookUrl, this.contacts.webhookKey(contact), message, { anywhere });
    }
    const isConfirmed = (contact?.emailConfirmedAt ?? null) !== null;
    const mailbox = to ?? (isConfirmed ? (contact?.email ?? null) : null);
    if (mailbox === null || this.mailer === null) return;
    await this.mailer.send({ to: mailbox, subject, text, messageId: `<${id}@${this.config.signInDomain}>` });
  }

  private async end(id: string, state: 'sent' | 'given-up'): Promise<void> {
    await this.prisma.notice.update({
      where: { id },
      // What was told is not kept: the row stays so that it is not told again.
      data: { state, endedAt: toDate(this.clock.nowMs()), body: {} },
    });
  }
}
