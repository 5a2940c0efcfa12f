import {
  equalBytes,
  toHex,
  toUsufructError,
  UsufructError,
  type ContributionId,
  type RunnerId,
} from '@usufruct/kernel';
import { manifestDigest, encodeManifest, runnerIdOf, type Manifest } from '@usufruct/protocol';
import type { DaoId } from '@usufruct/kernel';
import { streamOf } from '@usufruct/crypto';
import type { RunnerContext } from '../../context.js';
import { forSlices } from '../../slices.js';
import { Sketcher, type CorpusDocument, type IngestedChunk } from '../rag/index.js';
import { proveSegment, sealSegment, type SegmentAbout } from './segment-file.js';
import { systemCode, type StoredFiles } from './stored-files.js';

export const segmentName = (contributionId: ContributionId): string => `${contributionId.slice(2)}.segment`;

/**
 * Documents as an earlier session parsed and cut them, so that another index of them costs a decryption each. Used
 * while one index is made. A cache, as the files are: what is not good is read from the contribution.
 */
export class Segments {
  readonly #isRunners = new Map<string, Promise<boolean>>();
  #isFull = false;

  constructor(
    private readonly context: RunnerContext,
    private readonly files: StoredFiles,
    private readonly daoId: DaoId,
    private readonly isErased: (contributionId: ContributionId) => boolean,
  ) {}

  /** Null where there is none, or none that a runner with this code has made of just this manifest. */
  async open(manifest: Manifest, sessionKey: Uint8Array, sketchKey: Uint8Array): Promise<CorpusDocument | null> {
    const name = segmentName(manifest.contributionId);
    if (this.files.sizeOf(name) === undefined) return null;
    try {
      const bytes = await this.files.read(name);
      const segment = bytes === null ? null : await proveSegment(bytes, await this.#about(manifest));
      if (segment !== null && (await this.#isOfRunner(segment.signerPublicKey))) {
        return await sketched(await segment.open(sessionKey), new Sketcher(sketchKey));
      }
      await this.files.remove([name]);
    } catch (error) {
      this.#warn(manifest, error);
      if (toUsufructError(error).entry.retry !== 'later') await this.files.remove([name]).catch(() => undefined);
    }
    return null;
  }

  /** Never rejects; after one that could not be written no more are tried. */
  async keep(document: CorpusDocument, manifest: Manifest, sessionKey: Uint8Array): Promise<void> {
    if (this.#isFull) return;
    const { random, keys } = this.context;
    try {
      const about = await this.#about(manifest);
      const bytes = await sealSegment(document, about, { sessionKey, signing: keys.signing, random });
      if (this.isErased(manifest.contributionId)) return;
      await this.files.write(segmentName(manifest.contributionId), streamOf(bytes), { isDurable: false });
    } catch (error) {
      this.#isFull = true;
      this.#warn(manifest, error);
    }
  }

  async #about(manifest: Manifest): Promise<SegmentAbout> {
    return {
      contributionId: manifest.contributionId,
      manifestDigest: manifestDigest(encodeManifest(manifest)),
      measurement: await this.context.device.measurement(),
    };
  }

  /** Ours, or one that enough holders vouched for in the same DAO, of the same code. */
  #isOfRunner(publicKey: Uint8Array): Promise<boolean> {
    if (equalBytes(publicKey, this.context.keys.signing.publicKey)) return Promise.resolve(true);
    const name = toHex(publicKey);
    const known = this.#isRunners.get(name) ?? this.#wasRegistered(publicKey);
    this.#isRunners.set(name, known);
    return known;
  }

  async #wasRegistered(publicKey: Uint8Array): Promise<boolean> {
    const { chain, device } = this.context;
    try {
      const { measurement } = await chain.runner(this.daoId, runnerIdOf<RunnerId>(publicKey));
      return measurement === (await device.measurement());
    } catch (error) {
      if (error instanceof UsufructError && error.code === 'NOT_FOUND') return false;
      throw error;
    }
  }

  #warn({ contributionId }: Manifest, error: unknown): void {
    const reason = systemCode(error) ?? toUsufructError(error).code;
    this.context.logger.warn('segment.passed_over', { contributionId, reason });
  }
}

async function sketched(stored: CorpusDocument, sketcher: Sketcher): Promise<CorpusDocument> {
  const chunks: IngestedChunk[] = [];
  await forSlices(stored.document.chunks, (chunk) => chunks.push({ ...chunk, sketch: sketcher.sketch(chunk.text) }));
  return { ...stored, document: { ...stored.document, chunks } };
}
