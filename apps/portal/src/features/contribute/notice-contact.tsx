import { valueOrThrow } from '@usufruct/sdk';
import { useState } from 'react';
import type { Acting } from '../../app/with-account.js';
import { useLoaded, useTask } from '../../app/use-task.js';
import { CONFIRM_NOTICE_EMAIL, NOTICE_CONTACT, SET_NOTICE_CONTACT, type NoticeContact } from '../../data/storage.js';
import { Button } from '../../ui/button.js';
import { TextField } from '../../ui/field.js';
import { Chip, Notice, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';

/** Where an owner is told that a lease ends, for whoever does not look in here. */
export function NoticeContactPanel({ account }: Pick<Acting, 'account'>) {
  const { client } = account;
  const loaded = useLoaded('notice contact', async () => (await client.api.request(NOTICE_CONTACT, {})).noticeContact);
  return (
    <Panel
      title="Be told before storage ends"
      lead="Leases in the store end silently. You are warned here; and, if you like, by mail or at a webhook of yours. What is sent names the contribution by its id, and nothing else about it."
    >
      <Refusal error={loaded.error} onRetry={loaded.reload} />
      {loaded.data !== undefined && <ContactForm account={account} known={loaded.data} onChange={loaded.reload} />}
    </Panel>
  );
}

interface FormProps extends Pick<Acting, 'account'> {
  readonly known: NoticeContact;
  readonly onChange: () => void;
}

function ContactForm({ account: { client }, known, onChange }: FormProps) {
  const [email, setEmail] = useState(known.email ?? '');
  const [webhookUrl, setWebhookUrl] = useState(known.webhookUrl ?? '');
  const [code, setCode] = useState('');
  const [secret, setSecret] = useState<string | null>(null);
  const save = useTask(async () => {
    const change = { email: orNull(email), webhookUrl: orNull(webhookUrl) };
    const { setNoticeContact } = await client.api.request(SET_NOTICE_CONTACT, change);
    setSecret(valueOrThrow(setNoticeContact).webhookSecret);
    onChange();
  });
  const confirm = useTask(async () => {
    const { confirmNoticeEmail } = await client.api.request(CONFIRM_NOTICE_EMAIL, { code });
    valueOrThrow(confirmNoticeEmail);
    onChange();
  });
  const waits = known.email !== null && !known.emailConfirmed;
  return (
    <>
      <TextField label="Mail" type="email" value={email} onText={setEmail} autoComplete="email" />
      {known.emailConfirmed && <Chip tone="good">confirmed</Chip>}
      <TextField
        label="Webhook"
        type="url"
        value={webhookUrl}
        onText={setWebhookUrl}
        hint="An https address. Each message is signed as Standard Webhooks says."
      />
      <div className="row">
        <Button onClick={() => void save.run()} disabled={save.busy}>
          Save
        </Button>
      </div>
      <Refusal error={save.error} />
      {secret !== null && (
        <Notice tone="warn">
          The key of your webhook is <code>{secret}</code>. It is shown this once.
        </Notice>
      )}
      {waits && (
        <>
          <TextField label="Code from the mail" value={code} onText={setCode} autoComplete="one-time-code" />
          <div className="row">
            <Button onClick={() => void confirm.run()} disabled={confirm.busy || code.trim() === ''}>
              Confirm the mailbox
            </Button>
          </div>
          <Refusal error={confirm.error} />
        </>
      )}
    </>
  );
}

const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());
