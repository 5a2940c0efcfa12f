/**
 * Writes documents/harvest-report.pdf: `node infra/demo/dist/make-harvest-report.js`. The PDF is committed, so nobody
 * has to run this; it is here so that what the PDF says can be changed. The same text always gives the same bytes.
 */
import { writeFile } from 'node:fs/promises';
import { PDFDocument, StandardFonts, type PDFFont, type PDFPage } from 'pdf-lib';

const PAGES: readonly (readonly string[])[] = [
  [
    '# Harvest report of the Millet and Groundnut Growers',
    'Season from October to May. Read at the yearly meeting, and accepted without objection.',
    '## Rain',
    'The first planting rain fell on 3 November, nine days later than in the year before. In total 612 millimetres fell ' +
      'in 47 days. A dry spell of sixteen days in January hurt the groundnuts on the sandy plots, and hardly the millet.',
    '## Yields',
    'Pearl millet gave 940 kilograms a hectare on average, groundnuts 710 kilograms in the shell. Plots that were ' +
      'intercropped with cowpea gave 12 percent more millet than plots without it. Forty-one members planted the early ' +
      'variety; it ripened eleven days sooner and escaped most of the birds.',
    '## Pests',
    'Stem borers were found on every fifth plot. Members who burned no stubble and ploughed it in had half as many.',
  ],
  [
    '## Storage',
    'Grain was stored in 320 hermetic bags and in six common stores of mud brick. Losses to weevils were under 2 percent ' +
      'in the bags and 14 percent in the open stores. The meeting decided to buy 200 more bags from the seed fund.',
    '## Sales',
    'The growers sold 38 tonnes of millet together, at a price 9 percent above what single traders had offered at the ' +
      'farm gate. Groundnuts were sold shelled for the first time; shelling by hand took 26 days of paid work.',
    '## Decisions for the next season',
    'Plant the early variety on at least half of the land. Keep seed of the best ten plots. Try green manure on the ' +
      'sandy plots. Meet again before the first rain.',
  ],
];

const MARGIN = 56;
const PAGE_SIZE: [number, number] = [595, 842];

async function main(): Promise<void> {
  const pdf = await PDFDocument.create();
  pdf.setTitle('Harvest report');
  pdf.setCreationDate(new Date(0));
  pdf.setModificationDate(new Date(0));
  const regular = await pdf.embedFont(StandardFonts.Helvetica);
  const bold = await pdf.embedFont(StandardFonts.HelveticaBold);
  for (const paragraphs of PAGES) {
    let top = PAGE_SIZE[1] - MARGIN;
    const page = pdf.addPage(PAGE_SIZE);
    for (const paragraph of paragraphs) {
      const isHeading = paragraph.startsWith('#');
      const text = paragraph.replace(/^#+ /, '');
      const size = paragraph.startsWith('# ') ? 18 : isHeading ? 13 : 11;
      top = drawParagraph(page, { text, font: isHeading ? bold : regular, size, top }) - 8;
    }
  }
  await writeFile(new URL('../documents/harvest-report.pdf', import.meta.url), await pdf.save());
}

interface Paragraph {
  readonly text: string;
  readonly font: PDFFont;
  readonly size: number;
  readonly top: number;
}

/** Returns where the next paragraph may begin. */
function drawParagraph(page: PDFPage, { text, font, size, top }: Paragraph): number {
  const width = PAGE_SIZE[0] - 2 * MARGIN;
  let [line, y] = ['', top - size];
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (font.widthOfTextAtSize(longer, size) <= width) {
      line = longer;
      continue;
    }
    page.drawText(line, { x: MARGIN, y, size, font });
    [line, y] = [word, y - size * 1.4];
  }
  page.drawText(line, { x: MARGIN, y, size, font });
  return y - size * 0.6;
}

await main();
