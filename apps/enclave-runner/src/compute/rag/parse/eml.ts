import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';
import { oneLine } from './clean-text.js';
import { parseHtml } from './html.js';
import { metadataOf } from './metadata.js';
import { parsePlainText } from './plain-text.js';
import { broken, DocumentRefusal, tooComplex, tooLarge } from './refusal.js';
import { indexedChars, type Block, type NotRead, type Parsed, type ParseLimits } from './types.js';

/** Reads a file that is attached; refuses as any document is refused. */
export type ReadAttachment = (fileName: string, bytes: Uint8Array) => Promise<Parsed>;

const MAX_NAME_CHARS = 120;
const HEADER_BYTES = 1024 ** 2;
/** Attachments that no name was given to. */
const ENDINGS = new Map([
  ['text/plain', 'txt'],
  ['text/markdown', 'md'],
  ['text/html', 'html'],
  ['text/csv', 'csv'],
  ['application/json', 'json'],
  ['application/pdf', 'pdf'],
  ['message/rfc822', 'eml'],
]);

/**
 * A message (RFC 5322, MIME) under its subject: who wrote it to whom and when, its text (of HTML where it has some),
 * then each attachment under its name, read by the rules of its own format. What cannot be read is listed with the code
 * that says why, and does not spoil the rest.
 *
 * Refuses `FORMAT_BROKEN`, `FILE_TOO_LARGE` (text, attachments) and `DOCUMENT_TOO_COMPLEX` (parts in parts).
 */
export async function parseEml(bytes: Uint8Array, limits: ParseLimits, read: ReadAttachment): Promise<Parsed> {
  const email = await parsedMail(bytes, limits);
  if (email.attachments.length > limits.attachments) throw tooLarge(`${limits.attachments} attachments`);
  const subject = oneLine(email.subject ?? '')
    .slice(0, 300)
    .toWellFormed();
  const above = subject === '' ? [] : [subject];
  const blocks: Block[] = [...headOf(email, above), ...bodyOf(email, limits).map((block) => below(block, above))];
  const notRead: NotRead[] = [];
  let chars = indexedChars(blocks);
  for (const [index, attachment] of email.attachments.entries()) {
    const name = nameOf(attachment, index);
    const inner = await orNotRead(() => read(name, contentOf(attachment)));
    if (typeof inner === 'string') {
      notRead.push({ name, code: inner });
      continue;
    }
    const own = inner.blocks.map((block): Block => ({
      ...below(block, [...above, name]),
      attachment: block.attachment === undefined ? name : `${name} › ${block.attachment}`,
    }));
    for (const block of own) blocks.push(block);
    notRead.push(...(inner.notRead ?? []).map((each) => ({ ...each, name: `${name} › ${each.name}` })));
    chars += indexedChars(own);
    if (chars > limits.textChars) throw tooLarge(`${limits.textChars} characters`);
  }
  return {
    blocks,
    notRead,
    metadata: metadataOf({ title: subject, author: peopleOf([email.from]), date: email.date }),
  };
}

async function parsedMail(bytes: Uint8Array, limits: ParseLimits): Promise<Email> {
  try {
    return await PostalMime.parse(bytes, {
      attachmentEncoding: 'arraybuffer',
      maxNestingDepth: Math.min(64, limits.depth),
      maxHeadersSize: HEADER_BYTES,
      // Messages in messages are attachments like others: our own limit on depth holds.
      maxRfc822NestingDepth: 0,
    });
  } catch (error) {
    if (error instanceof Error && /nesting/i.test(error.message)) throw tooComplex('64 parts in one another');
    throw broken('EML');
  }
}

const below = (block: Block, above: readonly string[]): Block => ({
  ...block,
  headings: [...above, ...block.headings],
});

function headOf(email: Email, headings: readonly string[]): Block[] {
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['From', peopleOf([email.from ?? email.sender])],
    ['To', peopleOf(email.to)],
    ['Cc', peopleOf(email.cc)],
    ['Date', email.date],
    ['Subject', email.subject],
  ];
  const text = lines
    .map(([name, value]) => [name, oneLine(value ?? '')] as const)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
  return text === '' ? [] : [{ text, headings }];
}

/** Lists of thousands are cut: who is on them is not what the message says. */
const MAX_PEOPLE = 50;
const peopleOf = (people: readonly (Address | undefined)[] | undefined): string | undefined =>
  people
    ?.slice(0, MAX_PEOPLE)
    .map((person) =>
      person?.address === undefined || person.name === ''
        ? (person?.address ?? person?.name)
        : `${person.name} <${person.address}>`,
    )
    .filter(Boolean)
    .join(', ');

/** HTML is what its writer saw; the plain text beside it may only say that the reader needs another program. */
function bodyOf(email: Email, limits: ParseLimits): readonly Block[] {
  const isReadable = email.html !== undefined && email.html.length <= limits.htmlBytes;
  const fromHtml = isReadable ? parseHtml(email.html ?? '', limits).blocks : [];
  return fromHtml.length > 0 ? fromHtml : parsePlainText(email.text ?? '').blocks;
}

function nameOf({ filename, mimeType }: Attachment, index: number): string {
  const ending = ENDINGS.get(mimeType);
  const name = oneLine(filename ?? '');
  const given = name === '' ? `part ${index + 1}` : name.slice(-MAX_NAME_CHARS).toWellFormed();
  return ending !== undefined && !/\.[A-Za-z0-9]{1,16}$/.test(given) ? `${given}.${ending}` : given;
}

const contentOf = ({ content }: Attachment): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content);

async function orNotRead(read: () => Promise<Parsed>): Promise<Parsed | string> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DocumentRefusal) return error.code;
    throw error;
  }
}
