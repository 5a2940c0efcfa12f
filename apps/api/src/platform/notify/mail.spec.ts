import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMailer } from './mail.js';

const MAIL = { to: 'ada@example.org', subject: 'Storage ends', text: 'Line one.\nLine two.', messageId: '<1@portal>' };

/** RFC 5321, as much of it as a client needs that sends one message. */
class SmtpServer {
  readonly lines: string[] = [];
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}
  static async start(refuses: boolean): Promise<SmtpServer> {
    const lines: string[] = [];
    const server = createServer((socket) => {
      socket.write('220 test ESMTP\r\n');
      let isData = false;
      let rest = '';
      socket.on('data', (chunk) => {
        rest += chunk.toString('utf8');
        for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
          const line = rest.slice(0, end);
          rest = rest.slice(end + 2);
          lines.push(line);
          if (isData && line !== '.') continue;
          if (isData) isData = false;
          if (line === 'DATA') isData = true;
          if (isData) socket.write('354 go on\r\n');
          else if (line === 'STARTTLS') socket.write('502 no encryption here\r\n');
          else socket.write(line.startsWith('RCPT') && refuses ? '550 no such user\r\n' : '250 ok\r\n');
        }
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const smtp = new SmtpServer(server, `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    Object.assign(smtp, { lines });
    return smtp;
  }
  async close(): Promise<void> {
    await new Promise((done) => this.server.close(done));
  }
}

describe('mail', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'usufruct-mail-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('goes to a mail server', async () => {
    const smtp = await SmtpServer.start(false);
    const mailer = openMailer({ smtpUrl: smtp.url, from: 'storage@example.org', file: undefined });
    await mailer?.send(MAIL);
    await smtp.close();
    expect(smtp.lines).toEqual(
      expect.arrayContaining([
        'MAIL FROM:<storage@example.org>',
        'RCPT TO:<ada@example.org>',
        'Subject: Storage ends',
        'Message-ID: <1@portal>',
        'Line one.',
        'Line two.',
      ]),
    );
  });

  it('is refused when the server refuses it, or is not there', async () => {
    const smtp = await SmtpServer.start(true);
    const mailer = openMailer({ smtpUrl: smtp.url, from: 'storage@example.org', file: undefined });
    await expect(mailer?.send(MAIL)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await smtp.close();
    await expect(mailer?.send(MAIL)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });

  it('does not tell a password to a server that does not encrypt', async () => {
    const smtp = await SmtpServer.start(false);
    const smtpUrl = smtp.url.replace('smtp://', 'smtp://user:hunter2@');
    const mailer = openMailer({ smtpUrl, from: 'storage@example.org', file: undefined });
    await expect(mailer?.send(MAIL)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await smtp.close();
    expect(smtp.lines.join('\n')).not.toContain('AUTH');
  });

  it('is written into a file by the stand-in, which says so', async () => {
    const file = join(home, 'mail.jsonl');
    const mailer = openMailer({ smtpUrl: undefined, from: 'storage@example.org', file });
    await mailer?.send(MAIL);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      standIn: 'mail file, nothing was sent',
      from: 'storage@example.org',
      ...MAIL,
    });
    expect(openMailer({ smtpUrl: undefined, from: '', file: undefined })).toBeNull();
  });
});
