/** Says what happens, for a person who reads along. With `--json` it says nothing: the result is all. */
export class Teller {
  private chapterNumber = 0;
  constructor(private readonly write: (text: string) => void) {}

  chapter(title: string): void {
    this.write(`\n${++this.chapterNumber}. ${title}\n`);
  }
  line(text = ''): void {
    this.write(text === '' ? '\n' : `   ${text}\n`);
  }
  /** Wrapped to 92 columns, with a bar in the margin. */
  quote(text: string): void {
    for (const line of wrap(text, 92)) this.write(`   | ${line}\n`);
  }
  /** Columns padded to their widest cell; numbers are right-aligned by who makes the rows. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = rows.reduce<number[]>((w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, cell.length)), []);
    for (const row of rows)
      this.line(
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd(),
      );
  }
}

export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export const right = (text: string, columns: number): string => text.padStart(columns);

/** Units with thin groups, so that six decimals can be read: 1 234 567. */
export const units = (amount: bigint): string => amount.toString().replace(/\B(?=(\d{3})+$)/g, ' ');
