import type { OfficeFormat } from '../detect-format.js';
import { metadataOf } from '../metadata.js';
import { broken, DocumentRefusal } from '../refusal.js';
import type { DocumentMetadata, ParseLimits } from '../types.js';
import { readXml, type XmlHandler } from './xml.js';
import { ZipArchive } from './zip-archive.js';

export interface Relationship {
  readonly id: string;
  /** The last word of its type, such as `slide`. */
  readonly type: string;
  /** The part's name; what lies outside the package has none and is never looked for. */
  readonly part: string;
}

const MAIN_TYPES: readonly (readonly [RegExp, OfficeFormat])[] = [
  [/wordprocessingml\.(?:document|template)\.main\+xml$|ms-word\.(?:document|template)\.macroEnabled/, 'docx'],
  [/presentationml\.(?:presentation|slideshow|template)\.main\+xml$|ms-powerpoint\.\w+\.macroEnabled/, 'pptx'],
  [/spreadsheetml\.(?:sheet|template)\.main\+xml$|ms-excel\.(?:sheet|template)\.macroEnabled/, 'xlsx'],
];

/**
 * An Open Packaging Conventions package (ECMA-376 part 2): parts in a ZIP archive, each with its relationships. What
 * it is follows from the content type of its main part, not from its name. Macros and embedded objects stay packed.
 */
export class OfficePackage {
  readonly #zip: ZipArchive;
  readonly #limits: ParseLimits;
  readonly format: OfficeFormat;
  readonly mainPart: string;

  /** Refuses `FORMAT_UNKNOWN` for an archive that is no office document, and what `ZipArchive` refuses. */
  constructor(bytes: Uint8Array, limits: ParseLimits) {
    this.#zip = new ZipArchive(bytes, limits);
    this.#limits = limits;
    if (!this.#zip.has('[Content_Types].xml')) throw new DocumentRefusal('FORMAT_UNKNOWN', { found: 'ZIP' });
    const main = this.relationshipsOf('').find(({ type }) => type === 'officeDocument')?.part;
    if (main === undefined) throw broken('an office document');
    const contentType = this.#contentTypeOf(main);
    const format = MAIN_TYPES.find(([pattern]) => pattern.test(contentType))?.[1];
    if (format === undefined) throw new DocumentRefusal('FORMAT_UNKNOWN', { found: 'another office document' });
    this.format = format;
    this.mainPart = main;
  }

  /** Read a part; false where there is none. */
  read(part: string, handler: XmlHandler): boolean {
    const bytes = this.#zip.read(part);
    if (bytes !== null) readXml(bytes, handler, this.#limits);
    return bytes !== null;
  }

  /** Of a part, or of the package for `''`. */
  relationshipsOf(part: string): Relationship[] {
    const slash = part.lastIndexOf('/') + 1;
    const found: Relationship[] = [];
    this.read(`${part.slice(0, slash)}_rels/${part.slice(slash)}.rels`, {
      open: (name, attributes) => {
        if (name !== 'rel:Relationship' || attributes.get('TargetMode') === 'External') return;
        const [id, type, target] = ['Id', 'Type', 'Target'].map((key) => attributes.get(key) ?? '');
        found.push({ id: id!, type: type!.slice(type!.lastIndexOf('/') + 1), part: resolved(part, target!) });
      },
    });
    return found;
  }

  /** The part that the main part calls by this type, such as `styles`. */
  partOf(type: string): string | undefined {
    return this.relationshipsOf(this.mainPart).find((relationship) => relationship.type === type)?.part;
  }

  /** Dublin Core properties of the document (ECMA-376 part 2 §8). */
  metadata(language?: string): DocumentMetadata {
    const part = this.relationshipsOf('').find(({ type }) => type === 'core-properties')?.part;
    const said = new Map<string, string>();
    let open = '';
    if (part !== undefined) {
      this.read(part, {
        open: (name) => (open = name),
        close: () => (open = ''),
        text: (value) => said.set(open, (said.get(open) ?? '') + value),
      });
    }
    return metadataOf({
      title: said.get('dc:title'),
      author: said.get('dc:creator'),
      date: said.get('dcterms:modified') ?? said.get('dcterms:created'),
      language: said.get('dc:language') ?? language,
    });
  }

  #contentTypeOf(part: string): string {
    const extension = part.slice(part.lastIndexOf('.') + 1).toLowerCase();
    let [byName, byExtension] = ['', ''];
    this.read('[Content_Types].xml', {
      open: (name, attributes) => {
        const type = attributes.get('ContentType') ?? '';
        if (name === 'ct:Override' && attributes.get('PartName')?.toLowerCase() === `/${part.toLowerCase()}`)
          byName = type;
        if (name === 'ct:Default' && attributes.get('Extension')?.toLowerCase() === extension) byExtension = type;
      },
    });
    return byName || byExtension;
  }
}

/** A target is relative to the folder of the part that names it. It is a key of the archive, never a path of a disk. */
function resolved(part: string, target: string): string {
  const segments = target.startsWith('/') ? [] : part.split('/').slice(0, -1);
  for (const segment of target.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.join('/');
}
