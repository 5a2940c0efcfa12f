import { appendFile } from 'node:fs/promises';
import { refuse } from '@usufruct/kernel';
import { createTransport } from 'nodemailer';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The same for each try: a mail server may drop what it has taken already. */
  readonly messageId: string;
}
/** Hands a message to something that will carry it. Refuses `UPSTREAM_UNAVAILABLE`. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}

export interface MailConfig {
  /** `smtp://` or `smtps://`, with the user in it where the server wants one. */
  readonly smtpUrl: string | undefined;
  readonly from: string;
  /** Stand-in: messages are appended to this file instead of being sent. */
  readonly file: string | undefined;
}

const TIMEOUT_MS = 20_000;

/** Null where no way to send mail is configured. */
export function openMailer({ smtpUrl, from, file }: MailConfig): Mailer | null {
  if (smtpUrl !== undefined) return smtpMailer(smtpUrl, from);
  return file === undefined ? null : fileMailer(file, from);
}

function smtpMailer(smtpUrl: string, from: string): Mailer {
  const url = new URL(smtpUrl);
  const transport = createTransport({
    host: url.hostname,
    port: Number(url.port || (url.protocol === 'smtps:' ? 465 : 587)),
    secure: url.protocol === 'smtps:',
    // Credentials never cross a line that is not encrypted.
    requireTLS: url.protocol === 'smtp:' && url.username !== '',
    ...(url.username !== '' && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // Nothing of ours is a file or a page that the library should read.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text, messageId }) {
      try {
        await transport.sendMail({ from, to: { name: '', address: to }, subject, text, messageId });
      } catch (cause) {
        throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'mail server' }, cause);
      }
    },
  };
}

/** A stand-in: nothing is sent, and the file says so in each line. */
const fileMailer = (file: string, from: string): Mailer => ({
  async send(mail) {
    await appendFile(file, `${JSON.stringify({ standIn: 'mail file, nothing was sent', from, ...mail })}\n`);
  },
});
