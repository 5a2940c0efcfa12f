import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import {
  itemOfName,
  judgeEndorsement,
  nameOfItem,
  type EndorsementBytes,
  type EndorsementItem,
  type RootSet,
  type SignedValidity,
} from '@usufruct/attestation';
import { fromUtf8, toHex, utf8 } from '@usufruct/kernel';
import { readAtMost, whileLocked, writeWhole } from './files.js';
import {
  EMPTY_INDEX,
  highestOf,
  isOlder,
  zIndex,
  type FolderIndex,
  type Highest,
  type Provenance,
} from './index-file.js';

/** One item that was read, parsed and verified. */
export interface HeldItem extends EndorsementBytes {
  readonly item: EndorsementItem;
  readonly validity: SignedValidity;
  /** Null for a file that somebody put there by hand. */
  readonly entry: Provenance | null;
}

/** Why what is in the folder is not used. */
export interface UnusableItem {
  readonly flaw: string;
}

const INDEX = 'index.json';
const LOCK = 'index.lock';
/** Beside an item: the certificates that vouch for it. */
const ISSUERS = '.issuers.pem';
const INDEX_BYTES = 4 * 1024 * 1024;
const ITEM_BYTES = 2 * 1024 * 1024;

const sha256 = (bytes: Uint8Array): string => toHex(createHash('sha256').update(bytes).digest());

/**
 * Endorsements as files: each under its name, its issuers beside it, and one index. Whoever can write here can take away
 * what a verifier needs; more than that it cannot do, as every file is verified up to a pinned root whenever it is read,
 * and the index only says when to ask again and what is too old.
 */
export class EndorsementFolder {
  constructor(
    private readonly path: string,
    private readonly roots: RootSet,
  ) {}

  /** Null if there is no such file. */
  async read(item: EndorsementItem): Promise<HeldItem | UnusableItem | null> {
    const name = nameOfItem(item);
    const [index, bytes, issuers] = await Promise.all([
      this.index(),
      readAtMost(join(this.path, name), ITEM_BYTES),
      readAtMost(join(this.path, name + ISSUERS), ITEM_BYTES),
    ]);
    if (bytes === null) return null;
    const row = index.items[name];
    const entry = row?.entry ?? null;
    if (entry !== null && (entry.sha256 !== sha256(bytes) || entry.issuersSha256 !== (issuers && sha256(issuers)))) {
      return { flaw: 'the file is not the one that was written' };
    }
    const validity = await judgeEndorsement(item, { bytes, issuers }, this.roots);
    if ('flaw' in validity) return validity;
    if (row !== undefined && isOlder(validity, row.highest)) return { flaw: olderThan(row.highest) };
    return { item, bytes, issuers, validity, entry };
  }

  /**
   * Keep what was verified, unless another process has kept a newer one meanwhile: then what is wrong with it.
   * Rejects where the folder cannot be written.
   */
  write(held: HeldItem & { readonly entry: Provenance }): Promise<UnusableItem | null> {
    const { item, bytes, issuers, validity, entry } = held;
    const name = nameOfItem(item);
    return whileLocked(join(this.path, LOCK), async () => {
      const index = await this.index();
      const highest = index.items[name]?.highest ?? (await this.highestOnDisk(item));
      if (highest !== null && isOlder(validity, highest)) return { flaw: olderThan(highest) };
      await writeWhole(join(this.path, name), bytes);
      if (issuers !== null) await writeWhole(join(this.path, name + ISSUERS), issuers);
      const row = {
        entry: { ...entry, sha256: sha256(bytes), issuersSha256: issuers && sha256(issuers) },
        highest: highestOf(validity),
      };
      const next: FolderIndex = { v: 1, items: { ...index.items, [name]: row } };
      await writeWhole(join(this.path, INDEX), utf8(`${JSON.stringify(next, null, 2)}\n`));
      return null;
    });
  }

  /** The newest that was ever held under this name. */
  async highest(item: EndorsementItem): Promise<Highest | null> {
    return (await this.index()).items[nameOfItem(item)]?.highest ?? this.highestOnDisk(item);
  }

  /** Where the index was lost, the file still says how new it is. */
  private async highestOnDisk(item: EndorsementItem): Promise<Highest | null> {
    const held = await this.read(item);
    if (held === null || 'flaw' in held) return null;
    return highestOf(held.validity);
  }

  /** Every item that there is a file of, by name. */
  async items(): Promise<readonly EndorsementItem[]> {
    const found = await readdir(this.path, { recursive: true, withFileTypes: true }).catch(() => []);
    return found
      .filter((entry) => entry.isFile())
      .map((entry) => relative(this.path, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .toSorted()
      .map(itemOfName)
      .filter((item) => item !== null);
  }

  /** An index that cannot be read is none: every item is then asked for anew. */
  private async index(): Promise<FolderIndex> {
    const bytes = await readAtMost(join(this.path, INDEX), INDEX_BYTES);
    if (bytes === null) return EMPTY_INDEX;
    try {
      return zIndex.parse(JSON.parse(fromUtf8(bytes)));
    } catch {
      return EMPTY_INDEX;
    }
  }
}

export const olderThan = ({ number, issuedAtMs }: Highest): string =>
  `it is older than one held before (number ${number}, issued ${new Date(issuedAtMs).toISOString()})`;
