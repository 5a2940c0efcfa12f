import { generateKeyPair } from '@usufruct/crypto';
import { asTimestampMs, refuse, toHex, type Clock, type RandomSource } from '@usufruct/kernel';
import {
  decodeKeyring,
  encodeKeyring,
  KEY_BYTES,
  STORAGE_ID_BYTES,
  type KeyringContents,
  type Lock,
  type SealingKey,
  type StorageKey,
} from './contents.js';
import { KeyringFile, type FileSystem } from './keyring-file.js';

export interface KeyringParts {
  readonly dir: string;
  readonly lock: Lock;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Node's, unless a test has its own. */
  readonly fs?: FileSystem;
}

/**
 * This holder's keys that are random and do not last: generations of the storage key, and of the key that shares are
 * sealed to. What follows from the holder's secret opens for ever; what was destroyed here opens nothing any more, also
 * for whoever has the secret and an older copy of the database, as long as nobody kept an older copy of this file.
 *
 * Every change is durable in the file before it is seen here.
 */
export class Keyring {
  private constructor(
    private readonly parts: KeyringParts,
    private readonly file: KeyringFile,
    private contents: KeyringContents,
  ) {}

  static exists({ dir, random, fs }: KeyringParts): boolean {
    return new KeyringFile(dir, random, fs).read() !== null;
  }

  /** Refuses `CONFIG_INVALID`: there is none (only `create` makes one), another holder's, an altered one. */
  static open(parts: KeyringParts): Keyring {
    const file = new KeyringFile(parts.dir, parts.random, parts.fs);
    const bytes = file.read();
    if (bytes === null) throw refuse('CONFIG_INVALID', { setting: 'KEYRING_DIR', reason: 'there is no keyring' });
    return new Keyring(parts, file, decodeKeyring(bytes, parts.lock));
  }

  /**
   * A first keyring, for a holder that has no data yet, or (`storage`) one that is restored: with fresh current keys in
   * any case. Refuses `ALREADY_EXISTS`: keys are never written over.
   */
  static async create(parts: KeyringParts, storage: readonly StorageKey[] = []): Promise<Keyring> {
    const file = new KeyringFile(parts.dir, parts.random, parts.fs);
    if (file.read() !== null) throw refuse('ALREADY_EXISTS', { object: 'keyring' });
    const contents = { storage: [...storage, newStorageKey(parts)], sealing: [await newSealingKey(parts)] };
    file.replace(encodeKeyring(contents, parts.lock, parts.random));
    return new Keyring(parts, file, contents);
  }

  readonly storage = {
    /** Under which everything is encrypted that is written now. */
    current: (): StorageKey => this.contents.storage.at(-1)!,
    byId: (id: string): StorageKey | undefined => this.contents.storage.find((one) => one.id === id),
    /** Oldest first. */
    all: (): readonly StorageKey[] => this.contents.storage,
    /** A new current one beside those that are there. */
    rotate: (): StorageKey => {
      const made = newStorageKey(this.parts);
      this.replace({ ...this.contents, storage: [...this.contents.storage, made] });
      return made;
    },
    /** Gone for good, in this process too; what is encrypted under it opens nowhere. Not the current one. */
    destroy: (id: string): void => {
      if (id === this.storage.current().id) throw refuse('INTERNAL', { reason: 'the current storage key' });
      const gone = this.storage.byId(id);
      if (gone === undefined) return;
      this.replace({ ...this.contents, storage: this.contents.storage.filter((one) => one !== gone) });
      gone.key.fill(0);
    },
  };

  readonly sealing = {
    /** What is to be sealed to from now on. */
    current: (): SealingKey => this.contents.sealing.at(-1)!,
    /** Newest first: what was sealed to one of these still opens. */
    openable: (): readonly SealingKey[] => this.contents.sealing.toReversed(),
    /** A new current one; the one before is retired now and still opens. */
    rotate: async (): Promise<SealingKey> => {
      const made = await newSealingKey(this.parts);
      // After the wait: another rotation may have been quicker.
      const before = this.contents.sealing;
      const retiredAtMs = this.parts.clock.nowMs();
      const retired = before.map((one) => ({ ...one, retiredAtMs: one.retiredAtMs ?? retiredAtMs }));
      this.replace({ ...this.contents, sealing: [...retired, made] });
      return made;
    },
    /** Those retired before this moment are gone for good; how many. The current one never is. */
    destroyRetired: (beforeMs: number): number => {
      const isOver = ({ retiredAtMs }: SealingKey) => retiredAtMs !== null && retiredAtMs < beforeMs;
      const gone = this.contents.sealing.filter(isOver);
      if (gone.length === 0) return 0;
      this.replace({ ...this.contents, sealing: this.contents.sealing.filter((one) => !isOver(one)) });
      for (const { privateKey } of gone) privateKey.fill(0);
      return gone.length;
    },
  };

  private replace(contents: KeyringContents): void {
    this.file.replace(encodeKeyring(contents, this.parts.lock, this.parts.random));
    this.contents = contents;
  }
}

const newStorageKey = ({ clock, random }: KeyringParts): StorageKey => ({
  id: toHex(random(STORAGE_ID_BYTES)),
  key: random(KEY_BYTES),
  createdAtMs: asTimestampMs(clock.nowMs()),
});

const newSealingKey = async ({ clock, random }: KeyringParts): Promise<SealingKey> => ({
  ...(await generateKeyPair(random)),
  createdAtMs: asTimestampMs(clock.nowMs()),
  retiredAtMs: null,
});
