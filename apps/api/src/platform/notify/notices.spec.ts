import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '@usufruct/kernel';
import { ApiWorld, eventually, ScriptedRunner } from '../../../../../test/support/api-world.js';
import { stopApp } from '../../app.js';
import { PrismaService } from '../prisma/index.js';
import { Notices } from './notices.js';

const SET = `mutation ($input: NoticeContactInput!) { setNoticeContact(input: $input) {
  ... on NoticeContactType { webhookUrl webhookSecret email emailConfirmed } ... on Refusal { code } } }`;
const CONFIRM = `mutation ($code: String!) { confirmNoticeEmail(code: $code) {
  ... on NoticeContactType { email emailConfirmed webhookSecret } ... on Refusal { code } } }`;
const CONTACT = '{ noticeContact { webhookUrl webhookSecret email emailConfirmed } }';

describe('telling people what concerns them', () => {
  let world: ApiWorld;
  let receiver: ScriptedRunner;
  let home: string;
  let token: string;
  let address: Address;
  const inbox = async (): Promise<{ to: string; subject: string; text: string; messageId: string }[]> =>
    (await readFile(join(home, 'mail'), 'utf8').catch(() => ''))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const notices = () => world.app.get(Notices, { strict: false });
  const prisma = () => world.app.get(PrismaService, { strict: false });
  const message = (dedupeKey: string) => ({
    address,
    topic: 'storage.lease',
    dedupeKey,
    mailKey: dedupeKey,
    data: { level: 'notice', endEpoch: 9 },
    subject: 'A subject',
    text: 'A text',
  });
  const tell = (key: string) => prisma().$transaction((tx) => notices().tell(tx, message(key)));
  const states = async () =>
    (await prisma().notice.findMany()).map(({ channel, state }) => `${channel} ${state}`).sort();

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'usufruct-notices-'));
    receiver = await ScriptedRunner.start();
    receiver.reply = () => ({ body: {} });
    world = await ApiWorld.start({ MAIL_FILE: join(home, 'mail'), WEBHOOKS_ANYWHERE: 'yes' });
    const [wallet] = world.dao.contributors;
    address = wallet!.address;
    token = await world.signIn(wallet!);
  });
  afterAll(async () => {
    await world.close();
    await receiver.close();
    await rm(home, { recursive: true, force: true });
  });

  it('tells nobody who has not asked for it', async () => {
    await tell('nobody');
    expect(await prisma().notice.count()).toBe(0);
    expect(await world.field(CONTACT, {}, token)).toEqual({
      webhookUrl: null,
      webhookSecret: null,
      email: null,
      emailConfirmed: false,
    });
  });

  it('mails nothing but a code before the mailbox is confirmed', async () => {
    const input = { email: 'ada@example.org' };
    expect(await world.field(SET, { input }, token)).toMatchObject({ email: 'ada@example.org', emailConfirmed: false });
    await eventually(async () => (await inbox()).length === 1);
    await tell('too early');
    // Saved once more, as it is, with something else changed: no second code, and no refusal.
    expect(await world.field(SET, { input }, token)).toMatchObject({ email: 'ada@example.org', emailConfirmed: false });
    expect(await inbox()).toHaveLength(1);
    const [mail] = await inbox();
    expect(mail).toMatchObject({ to: 'ada@example.org', subject: 'Confirm this mailbox' });
    const code = /code: (\S+)/.exec(mail!.text)![1]!;
    const other = await world.signIn(world.dao.contributors[1]!);
    expect(await world.field(CONFIRM, { code }, other)).toEqual({ code: 'CHALLENGE_UNKNOWN' });
    expect(await world.field(CONFIRM, { code: `${code}x` }, token)).toEqual({ code: 'CHALLENGE_UNKNOWN' });
    expect(await world.field(CONFIRM, { code }, token)).toMatchObject({ emailConfirmed: true });
    await tell('in time');
    await eventually(async () => (await inbox()).length === 2);
    expect((await inbox())[1]).toMatchObject({ to: 'ada@example.org', subject: 'A subject', text: 'A text' });
  });

  it('sends no second code within the hour, to whichever mailbox', async () => {
    const input = { email: 'victim@example.org' };
    expect(await world.field(SET, { input }, token)).toEqual({ code: 'RATE_LIMITED' });
    expect(await world.field(CONTACT, {}, token)).toMatchObject({ email: 'ada@example.org', emailConfirmed: true });
  });

  it.each(['two@example.org, b@example.org', 'Ada <ada@example.org>', 'ada', 'a@b\r\nBcc: c@d', '@example.org', ''])(
    'takes %j for no mailbox',
    async (email) => {
      expect(await world.field(SET, { input: { email } }, token)).toEqual({ code: 'INVALID_ARGUMENT' });
    },
  );

  it('posts to a webhook with a signature that its owner can check, and says the key once', async () => {
    const input = { webhookUrl: `${receiver.url}/hook`, email: 'ada@example.org' };
    const { webhookSecret } = await world.field(SET, { input }, token);
    expect(webhookSecret).toMatch(/^whsec_/);
    expect((await world.field(SET, { input }, token)).webhookSecret).toBeNull();
    await tell('a hook');
    await eventually(async () => receiver.requests.length === 1);
    const { body, headers } = receiver.requests[0]!;
    expect(body).toMatchObject({ type: 'storage.lease', data: { address, level: 'notice', endEpoch: 9 } });
    const signed = `${headers['webhook-id'] as string}.${headers['webhook-timestamp'] as string}.${JSON.stringify(body)}`;
    const key = Buffer.from(webhookSecret.slice('whsec_'.length), 'base64');
    const signature = createHmac('sha256', key).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
  });

  it('mails things that are alike once, and posts each of them', async () => {
    // What was told before is mailed, too, and that may come later than the post.
    await eventually(async () => (await states()).every((state) => state.endsWith('sent')));
    const [mails, posts] = [(await inbox()).length, receiver.requests.length];
    for (const dedupeKey of ['one of many', 'another of many']) {
      const alike = { ...message(dedupeKey), mailKey: 'many' };
      await prisma().$transaction((tx) => notices().tell(tx, alike));
    }
    await eventually(async () => receiver.requests.length === posts + 2);
    await eventually(async () => (await states()).every((state) => state.endsWith('sent')));
    expect(await inbox()).toHaveLength(mails + 1);
  });

  it('tells a thing once, from two processes at once, too', async () => {
    const before = receiver.requests.length;
    const other = await world.anotherApi();
    const otherPrisma = other.get(PrismaService, { strict: false });
    try {
      await Promise.all([
        tell('only once'),
        otherPrisma.$transaction((tx) => other.get(Notices, { strict: false }).tell(tx, message('only once'))),
      ]);
      await eventually(async () => receiver.requests.length > before);
      await new Promise((done) => setTimeout(done, 1_500));
      expect(receiver.requests).toHaveLength(before + 1);
    } finally {
      await stopApp(other);
    }
  });

  it('tries again when the receiver is out of order, and keeps nothing of what was told', async () => {
    let failures = 0;
    receiver.reply = () => (failures++ === 0 ? { status: 500, body: {} } : { body: {} });
    await tell('again');
    await eventually(async () => failures === 2);
    await eventually(async () => (await states()).every((state) => state.endsWith('sent')));
    const rows = await prisma().notice.findMany({ select: { body: true } });
    expect(rows.every(({ body }) => JSON.stringify(body) === '{}')).toBe(true);
  });

  it('refuses a webhook into its own network unless it is configured for development', async () => {
    const strict = await ApiWorld.start({ MAIL_FILE: join(home, 'mail') });
    try {
      const session = await strict.signIn(strict.dao.contributors[0]!);
      for (const webhookUrl of ['http://hooks.example/', 'https://127.0.0.1/', 'https://169.254.169.254/']) {
        expect(await strict.field(SET, { input: { webhookUrl } }, session)).toEqual({ code: 'INVALID_ARGUMENT' });
      }
      expect(await strict.field(SET, { input: { webhookUrl: 'https://hooks.example/' } }, session)).toMatchObject({
        webhookUrl: 'https://hooks.example/',
      });
    } finally {
      await strict.close();
    }
  });
});
