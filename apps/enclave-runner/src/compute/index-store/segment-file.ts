import { digestOfPart, sign, verify, type SigningKey } from '@usufruct/crypto';
import { concatBytes, fromHex, utf8, type ContributionId, type Digest, type RandomSource } from '@usufruct/kernel';
import { TAGS, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import type { CorpusDocument } from '../rag/index.js';
import { documentPieces, readDocument } from './document-bytes.js';
import { INDEX_FORMAT } from './index-file.js';
import { headerJson, openFile, sealFile, splitFile } from './sealed-file.js';

/** What a segment is of, and made by which code. */
export interface SegmentAbout {
  readonly contributionId: ContributionId;
  readonly manifestDigest: Digest;
  readonly measurement: string;
}

const zHeader = z.strictObject({
  format: z.literal(INDEX_FORMAT),
  measurement: z.string(),
  contributionId: zHex32<ContributionId>(),
  manifestDigest: zHex32<Digest>(),
});
const KEY_BYTES = 32;
const PROOF_BYTES = KEY_BYTES + 64;

/**
 * One document, parsed and cut: key of the runner that made it (32) ‖ its signature (64) ‖ header ‖ envelope, under a key
 * that follows from the contribution's own. So nobody reads it to whom the holders do not release that key, and what was
 * revoked or erased needs no touch to be closed.
 *
 * Who contributed has the key, too, and could write another text than was signed with the manifest: that is what the
 * runner's signature is for. Sketches are left out, since by their key near duplicates could be forged.
 */
export async function sealSegment(
  document: CorpusDocument,
  about: SegmentAbout,
  { sessionKey, signing, random }: { sessionKey: Uint8Array; signing: SigningKey; random: RandomSource },
): Promise<Uint8Array> {
  const header: z.input<typeof zHeader> = { format: INDEX_FORMAT, ...about };
  const key = { domainTag: TAGS.storedSegment, secret: sessionKey };
  const parts: Uint8Array[] = [];
  for await (const part of sealFile(utf8(JSON.stringify(header)), key, plaintextOf(document), random)) parts.push(part);
  const file = concatBytes(...parts);
  const { publicKey, secretKey } = signing;
  const signature = await sign({ secretKey, domainTag: TAGS.segmentSignature, message: await messageOf(file) });
  return concatBytes(publicKey, signature, file);
}

async function* plaintextOf(document: CorpusDocument): AsyncGenerator<Uint8Array, void> {
  yield* documentPieces(document, { withSketches: false });
}
const messageOf = async (file: Uint8Array): Promise<Uint8Array> => fromHex(await digestOfPart(file));

export interface ProvenSegment {
  /** Whose: nothing is proven unless this key was a runner's. */
  readonly signerPublicKey: Uint8Array;
  /** Throws unless it was sealed under this contribution's key. */
  open(sessionKey: Uint8Array): Promise<CorpusDocument>;
}

/** Null unless it says that it is just this, in bytes that the named key has signed. */
export async function proveSegment(bytes: Uint8Array, about: SegmentAbout): Promise<ProvenSegment | null> {
  const publicKey = bytes.slice(0, KEY_BYTES);
  const signature = bytes.slice(KEY_BYTES, PROOF_BYTES);
  const file = bytes.slice(PROOF_BYTES);
  const split = splitFile(file);
  if (signature.length !== PROOF_BYTES - KEY_BYTES || split === null) return null;
  const header = zHeader.safeParse(headerJson(split.header));
  const isThis =
    header.success &&
    header.data.contributionId === about.contributionId &&
    header.data.manifestDigest === about.manifestDigest &&
    header.data.measurement === about.measurement;
  if (!isThis) return null;
  const signed = { publicKey, domainTag: TAGS.segmentSignature, message: await messageOf(file), signature };
  if (!(await verify(signed))) return null;
  return {
    signerPublicKey: publicKey,
    open: async (sessionKey) => {
      const key = { domainTag: TAGS.storedSegment, secret: sessionKey };
      const document = await openFile(split, key, readDocument);
      if (document.contributionId !== about.contributionId) throw new TypeError('another document');
      return document;
    },
  };
}
