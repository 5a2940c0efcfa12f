import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntrySpec {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** Stored as it is instead of deflated. */
  readonly isStored?: boolean;
  /** What the headers claim instead of the truth. */
  readonly claims?: {
    readonly bytes?: number;
    readonly crc?: number;
    readonly flags?: number;
    readonly localName?: string;
  };
}

/** A ZIP archive (APPNOTE 6.3) written by hand, so that tests can write broken ones. */
export function zipOf(entries: readonly ZipEntrySpec[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const { name, content, isStored = false, claims = {} } of entries) {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const packed = isStored ? bytes : deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(claims.flags ?? 0, 2);
    fields.writeUInt16LE(isStored ? 0 : 8, 4);
    fields.writeUInt32LE(claims.crc ?? crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(claims.bytes ?? bytes.length, 18);
    const local = Buffer.from(claims.localName ?? name);
    fields.writeUInt16LE(local.length, 22);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), Uint8Array.from(fields), local, packed);
    const own = Buffer.from(name);
    fields.writeUInt16LE(own.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), fields, rest, own);
    offset += 30 + local.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Uint8Array.from(Buffer.concat([...parts, directory, end]));
}

const TYPES = 'http://schemas.openxmlformats.org/package/2006/content-types';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/package/2006/relationships';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const CONTENT = 'application/vnd.openxmlformats-officedocument';
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
export const NAMESPACES = {
  w: 'http://schemas.openxmlformats.org/wordprocessingml/2006/main',
  x: 'http://schemas.openxmlformats.org/spreadsheetml/2006/main',
  p: 'http://schemas.openxmlformats.org/presentationml/2006/main',
  a: 'http://schemas.openxmlformats.org/drawingml/2006/main',
  r: OFFICE,
} as const;

/** `{target: type}` of a part's relationships, ids `rId1` and on. */
const relationships = (targets: Readonly<Record<string, string>>): string =>
  `${HEAD}<Relationships xmlns="${RELATIONSHIPS}">${Object.entries(targets)
    .map(([target, type], i) => `<Relationship Id="rId${i + 1}" Type="${OFFICE}/${type}" Target="${target}"/>`)
    .join('')}</Relationships>`;

export interface OfficeSpec {
  readonly main: string;
  readonly contentType: string;
  readonly targets: Readonly<Record<string, string>>;
  /** Beside the main part, by their names in the archive. */
  readonly parts: Readonly<Record<string, string>>;
}

/** The entries of an office document whose main part stands at `main`. */
export function officeEntries({ main, contentType, targets, parts }: OfficeSpec): ZipEntrySpec[] {
  const [folder, name] = [main.slice(0, main.lastIndexOf('/')), main.slice(main.lastIndexOf('/') + 1)];
  const files: Readonly<Record<string, string>> = {
    '[Content_Types].xml': `${HEAD}<Types xmlns="${TYPES}"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/${main}" ContentType="${CONTENT}.${contentType}"/></Types>`,
    '_rels/.rels': `${HEAD}<Relationships xmlns="${RELATIONSHIPS}"><Relationship Id="a" Type="${OFFICE}/officeDocument" Target="${main}"/><Relationship Id="b" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="/docProps/core.xml"/></Relationships>`,
    [`${folder}/_rels/${name}.rels`]: relationships(targets),
    ...parts,
  };
  return Object.entries(files).map(([entry, content]) => ({ name: entry, content }));
}

export const coreProperties = (title: string, creator: string, modified: string): string =>
  `${HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>${title}</dc:title><dc:creator>${creator}</dc:creator><dcterms:modified>${modified}</dcterms:modified></cp:coreProperties>`;

/** `body` is what stands in `w:body`. */
export const docxEntries = (body: string, parts: Readonly<Record<string, string>> = {}): ZipEntrySpec[] =>
  officeEntries({
    main: 'word/document.xml',
    contentType: 'wordprocessingml.document.main+xml',
    targets: { 'styles.xml': 'styles', 'footnotes.xml': 'footnotes' },
    parts: {
      'word/document.xml': `${HEAD}<w:document xmlns:w="${NAMESPACES.w}"><w:body>${body}</w:body></w:document>`,
      ...parts,
    },
  });

/** A sheet is what stands in `sheetData`, or a whole `worksheet` element. */
export function xlsxEntries(
  sheets: Readonly<Record<string, string>>,
  parts: Readonly<Record<string, string>> = {},
  workbook = '',
): ZipEntrySpec[] {
  const names = Object.keys(sheets);
  const list = names.map((name, i) => `<sheet name="${name}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`).join('');
  return officeEntries({
    main: 'xl/workbook.xml',
    contentType: 'spreadsheetml.sheet.main+xml',
    targets: {
      ...Object.fromEntries(names.map((_, i) => [`worksheets/sheet${i + 1}.xml`, 'worksheet'])),
      'sharedStrings.xml': 'sharedStrings',
      'styles.xml': 'styles',
    },
    parts: {
      'xl/workbook.xml': `${HEAD}<workbook xmlns="${NAMESPACES.x}" xmlns:r="${OFFICE}">${workbook}<sheets>${list}</sheets></workbook>`,
      ...Object.fromEntries(
        Object.values(sheets).map((data, i) => [
          `xl/worksheets/sheet${i + 1}.xml`,
          data.startsWith('<worksheet')
            ? data
            : `${HEAD}<worksheet xmlns="${NAMESPACES.x}"><sheetData>${data}</sheetData></worksheet>`,
        ]),
      ),
      ...parts,
    },
  });
}

/** A slide is what stands in its `p:spTree`, or a whole `p:sld` element. */
export const pptxEntries = (
  slides: readonly string[],
  parts: Readonly<Record<string, string>> = {},
): ZipEntrySpec[] => {
  const spaces = `xmlns:p="${NAMESPACES.p}" xmlns:a="${NAMESPACES.a}" xmlns:r="${OFFICE}"`;
  return officeEntries({
    main: 'ppt/presentation.xml',
    contentType: 'presentationml.presentation.main+xml',
    targets: Object.fromEntries(slides.map((_, i) => [`slides/slide${i + 1}.xml`, 'slide'])),
    parts: {
      'ppt/presentation.xml': `${HEAD}<p:presentation ${spaces}><p:sldIdLst>${slides.map((_, i) => `<p:sldId id="${256 + i}" r:id="rId${i + 1}"/>`).join('')}</p:sldIdLst></p:presentation>`,
      ...Object.fromEntries(
        slides.map((slide, i) => [
          `ppt/slides/slide${i + 1}.xml`,
          slide.startsWith('<p:sld')
            ? slide
            : `${HEAD}<p:sld ${spaces}><p:cSld><p:spTree>${slide}</p:spTree></p:cSld></p:sld>`,
        ]),
      ),
      ...parts,
    },
  });
};
