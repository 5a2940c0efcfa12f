import { describe, expect, it } from '@jest/globals';
import { coreProperties, docxEntries, NAMESPACES, pptxEntries, xlsxEntries, zipOf } from '@usufruct/testing';
import { parseBytes } from '../parse-bytes.js';
import type { Block } from '../types.js';
import { cellFormat, cellText } from './cell-format.js';

const parse = (fileName: string, bytes: Uint8Array) => parseBytes({ fileName, bytes });
const shown = (blocks: readonly Block[]) => blocks.map(({ headings, text }) => [headings.join('/'), text]);
const p = (text: string, properties = '') => `<w:p>${properties}<w:r><w:t>${text}</w:t></w:r></w:p>`;
const style = (id: string) => `<w:pPr><w:pStyle w:val="${id}"/></w:pPr>`;

describe('DOCX', () => {
  const styles = `<w:styles xmlns:w="${NAMESPACES.w}"><w:docDefaults><w:rPrDefault><w:rPr><w:lang w:val="de-DE"/></w:rPr></w:rPrDefault></w:docDefaults>
    <w:style w:styleId="T"><w:name w:val="Title"/></w:style><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
    <w:style w:styleId="Own"><w:basedOn w:val="berschrift1"/></w:style><w:style w:styleId="Out"><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
    <w:style w:styleId="LoopA"><w:basedOn w:val="LoopB"/></w:style><w:style w:styleId="LoopB"><w:basedOn w:val="LoopA"/></w:style></w:styles>`;

  it('reads headings by style, by a style based on one, and by outline level', async () => {
    const body = [
      p('The Book', style('T')),
      p('Winter', style('berschrift1')),
      p('one'),
      p('Feeding', style('Out')),
      p('two', style('LoopA')),
      p('Summer', style('Own')),
      p('three'),
      p('Deep', '<w:pPr><w:outlineLvl w:val="8"/></w:pPr>'),
      p('four'),
    ].join('');
    const { format, blocks, metadata } = await parse('a.docx', zipOf(docxEntries(body, { 'word/styles.xml': styles })));
    expect(format).toBe('docx');
    expect(shown(blocks)).toEqual([
      ['The Book/Winter', 'one'],
      ['The Book/Winter/Feeding', 'two'],
      ['The Book/Summer', 'three'],
      ['The Book/Summer/Deep', 'four'],
    ]);
    expect(metadata).toEqual({ title: 'The Book', language: 'de-DE' });
  });

  it('reads tables by row, tables in cells with the cell, breaks and notes', async () => {
    const cell = (content: string) => `<w:tc>${content}</w:tc>`;
    const inner = `<w:tbl><w:tr>${cell(p('in'))}${cell(p('side'))}</w:tr></w:tbl>`;
    const note = '<w:p><w:r><w:t>Stores</w:t><w:footnoteReference w:id="2"/></w:r></w:p>';
    const notes = `<w:footnotes xmlns:w="${NAMESPACES.w}"><w:footnote w:id="2">${p('Weighed in autumn.')}</w:footnote></w:footnotes>`;
    const body = `<w:tbl><w:tr>${cell(p('Month'))}${cell(p('Sugar') + p('(kg)'))}</w:tr><w:tr>${cell(p('May'))}${cell(inner)}</w:tr></w:tbl>
      <w:p><w:r><w:t>a</w:t><w:br/><w:t xml:space="preserve">b </w:t><w:tab/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>${note}`;
    const { blocks } = await parse('a.docx', zipOf(docxEntries(body, { 'word/footnotes.xml': notes })));
    expect(blocks.map(({ text }) => text)).toEqual([
      'Month | Sugar (kg)',
      'May | in side',
      'a\nb c-d',
      'Stores',
      'Weighed in autumn.',
    ]);
  });

  it('leaves out what a reader does not see: hidden and deleted text, the second version of a shape', async () => {
    const box = (text: string) => `<w:r><w:pict><w:txbxContent>${p(text)}</w:txbxContent></w:pict></w:r>`;
    const mc = 'http://schemas.openxmlformats.org/markup-compatibility/2006';
    const body = `<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>seen</w:t></w:r>
      <w:del><w:r><w:delText>gone</w:delText><w:t>gone</w:t></w:r></w:del><w:ins><w:r><w:t> new</w:t></w:r></w:ins></w:p>
      <w:p><mc:AlternateContent xmlns:mc="${mc}"><mc:Choice>${box('boxed')}</mc:Choice><mc:Fallback>${box('boxed')}</mc:Fallback></mc:AlternateContent></w:p>
      <w:p><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>
      <w:p><w:pPr><w:pPrChange><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:pPrChange></w:pPr><w:r><w:rPr><w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange></w:rPr><w:t>was a hidden heading</w:t></w:r></w:p>`;
    const { blocks } = await parse('a.docx', zipOf(docxEntries(body)));
    expect(blocks.map(({ text }) => text)).toEqual(['seen new', 'boxed', 'was a hidden heading']);
  });

  it('goes by the namespace and not by the prefix, and takes the strict form, UTF-16 and character references', async () => {
    const xml = `\uFEFF<?xml version="1.0" encoding="UTF-16"?><d:document xmlns:d="http://purl.oclc.org/ooxml/wordprocessingml/main"><d:body><d:p><d:r><d:t>caf&#xE9; &amp; <![CDATA[<b>]]></d:t></d:r></d:p><w:p xmlns:w="urn:other"><w:r><w:t>other</w:t></w:r></w:p></d:body></d:document>`;
    const entries = docxEntries('').map((entry) =>
      entry.name === 'word/document.xml' ? { ...entry, content: Buffer.from(xml, 'utf16le') } : entry,
    );
    expect((await parse('a.docx', zipOf(entries))).blocks.map(({ text }) => text)).toEqual(['café & <b>']);
  });

  it('is what its bytes are, whatever its name says', async () => {
    const bytes = zipOf(
      docxEntries(p('text'), { 'docProps/core.xml': coreProperties('T', 'Ann', '2024-05-01T10:00:00Z') }),
    );
    const { format, metadata } = await parse('a.txt', bytes);
    expect(format).toBe('docx');
    expect(metadata).toEqual({ title: 'T', author: 'Ann', date: '2024-05-01T10:00:00.000Z' });
  });
});

describe('XLSX', () => {
  const strings = `<sst xmlns="${NAMESPACES.x}"><si><t>Hive</t></si><si><r><t>No</t></r><r><t>rth</t></r><rPh><t>phonetic</t></rPh></si><si><t>Harvested</t></si></sst>`;
  const formats = `<styleSheet xmlns="${NAMESPACES.x}"><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="9"/></cellXfs></styleSheet>`;
  const parts = { 'xl/sharedStrings.xml': strings, 'xl/styles.xml': formats };
  const text = (reference: string, value: string) => `<c r="${reference}" t="inlineStr"><is><t>${value}</t></is></c>`;

  it('reads rows under the names of the first one: shared strings, dates, shares, formulas as they last were', async () => {
    const data = `<row r="1">${text('A1', 'Yields of 2023')}</row>
      <row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s"><v>2</v></c>${text('C3', 'kg')}${text('E3', 'Share')}</row>
      <row r="4"><c r="A4" t="s"><v>1</v></c><c r="B4" s="1"><v>45121</v></c><c r="C4"><f>1+1</f><v>0.30000000000000004</v></c><c r="D4" t="b"><v>1</v></c><c r="E4" s="2"><v>0.07</v></c></row>
      <row r="5">${text('A5', 'South')}<c r="C5" t="e"><v>#DIV/0!</v></c><c r="F5" t="str"><f>A5</f><v>more</v></c></row>`;
    const { blocks } = await parse('a.xlsx', zipOf(xlsxEntries({ Yields: data }, parts)));
    expect(blocks).toEqual([
      { text: 'Yields of 2023', headings: ['Yields'], sheet: 'Yields', row: 1 },
      // 45121 is 2023-07-14: 45292 is 2024-01-01, 171 days later.
      {
        text: 'Hive: North; Harvested: 2023-07-14; kg: 0.3; column D: TRUE; Share: 7%',
        headings: ['Yields'],
        sheet: 'Yields',
        row: 4,
      },
      { text: 'Hive: South; column F: more', headings: ['Yields'], sheet: 'Yields', row: 5 },
    ]);
  });

  it('leaves out hidden sheets, rows and columns', async () => {
    const sheet = `<worksheet xmlns="${NAMESPACES.x}"><cols><col min="2" max="2" hidden="1"/></cols><sheetData><row r="1">${text('A1', 'a')}${text('B1', 'b')}${text('C1', 'c')}</row><row r="2" hidden="1">${text('A2', 'h')}${text('C2', 'h')}</row><row r="3">${text('A3', '1')}${text('B3', '2')}${text('C3', '3')}</row></sheetData></worksheet>`;
    const secret = `<row r="1">${text('A1', 'secret')}</row>`;
    const entries = xlsxEntries({ One: sheet, Two: secret }).map((entry) =>
      entry.name === 'xl/workbook.xml'
        ? { ...entry, content: String(entry.content).replace('name="Two"', 'name="Two" state="veryHidden"') }
        : entry,
    );
    expect((await parse('a.xlsx', zipOf(entries))).blocks.map((block) => block.text)).toEqual(['a: 1; c: 3']);
  });

  it('keeps rows of numbers without names as they are', async () => {
    const data = '<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c><c><v>4</v></c></row>';
    const { blocks } = await parse('a.xlsx', zipOf(xlsxEntries({ S: data })));
    expect(blocks.map(({ text, row }) => [row, text])).toEqual([
      [1, '1 | 2'],
      [2, '3 | 4'],
    ]);
  });

  // Dates: Excel's documentation gives 39448 for 1 January 2008 and 1.5 as noon of 1 January 1900.
  it.each([
    [39448, 14, undefined, false, '2008-01-01'],
    [39448 - 1462, 14, undefined, true, '2008-01-01'],
    [1.5, 22, undefined, false, '1900-01-01 12:00:00'],
    [59, 14, undefined, false, '1900-02-28'],
    [60, 14, undefined, false, '1900-02-29'],
    [61, 14, undefined, false, '1900-03-01'],
    [0.75, 20, undefined, false, '18:00:00'],
    [1.5, 46, undefined, false, '36:00:00'],
    [1.5, 164, '[h]:mm', false, '36:00:00'],
    [39448.5, 164, 'yyyy\\-mm\\-dd\\ hh:mm', false, '2008-01-01 12:00:00'],
    [39448, 164, '[$-407]d. mmmm yyyy', false, '2008-01-01'],
    [12.5, 164, '0.00 "days"', false, '12.5'],
    [12.5, 164, '[Red]#,##0.00;-#,##0.00', false, '12.5'],
    [0.125, 10, undefined, false, '12.5%'],
    [-1, 14, undefined, false, '-1'],
    [3e6, 14, undefined, false, '3000000'],
    [1e21, 0, undefined, false, '1e+21'],
  ])('shows %d in format %d %s (1904: %s) as %s', (value, id, code, is1904, expected) => {
    expect(cellText(value, cellFormat(id, code), is1904)).toBe(expected);
  });
});

describe('PPTX', () => {
  const shape = (text: string, placeholder = '', hidden = '') =>
    `<p:sp><p:nvSpPr><p:cNvPr id="1" name="n" ${hidden}/><p:nvPr>${placeholder && `<p:ph type="${placeholder}"/>`}</p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:txBody></p:sp>`;

  it('reads slides in their order with titles, tables and notes, without hidden slides and furniture', async () => {
    const table = `<p:graphicFrame><a:graphic><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>A</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>B</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></a:graphic></p:graphicFrame>`;
    const spaces = `xmlns:p="${NAMESPACES.p}" xmlns:a="${NAMESPACES.a}"`;
    const hidden = `<p:sld ${spaces} show="0"><p:cSld><p:spTree>${shape('hidden slide')}</p:spTree></p:cSld></p:sld>`;
    const entries = pptxEntries(
      [
        shape('Treat in December') +
          shape('Varroa', 'title') +
          shape('7', 'sldNum') +
          shape('x', '', 'hidden="1"') +
          table,
        hidden,
        shape('Thanks', 'ctrTitle'),
      ],
      {
        'ppt/slides/_rels/slide1.xml.rels': `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="n" Type="${NAMESPACES.r}/notesSlide" Target="../notesSlides/n1.xml"/></Relationships>`,
        'ppt/notesSlides/n1.xml': `<p:notes ${spaces}><p:cSld><p:spTree>${shape('Speak slowly.', 'body')}${shape('1', 'sldNum')}</p:spTree></p:cSld></p:notes>`,
      },
    );
    const { blocks } = await parse('a.pptx', zipOf(entries));
    expect(blocks).toEqual([
      { text: 'Treat in December', headings: ['Varroa'], slide: 1 },
      { text: 'A | B', headings: ['Varroa'], slide: 1 },
      { text: 'Speak slowly.', headings: ['Varroa', 'Notes'], slide: 1 },
      { text: 'Thanks', headings: ['Thanks'], slide: 3 },
    ]);
  });
});
