import type { OfficePackage } from './office-package.js';

interface Style {
  name: string;
  basedOn: string;
  /** From 0, as in the file; 9 is body text. */
  outline: number | null;
}

/** Levels of headings by the id of their paragraph style, 0 for the document's title. */
export interface DocxStyles {
  levelOf(styleId: string): number | null;
  readonly language: string | undefined;
}

/** A style that is based on itself, over however many steps, must not hold us up. */
const MAX_STEPS = 20;

/** Headings are known by their outline level, or by the name that Word gives them in every language. */
export function readDocxStyles(document: OfficePackage): DocxStyles {
  const styles = new Map<string, Style>();
  let open: Style | null = null;
  let language: string | undefined;
  const part = document.partOf('styles');
  if (part !== undefined) {
    document.read(part, {
      open: (name, attributes) => {
        const value = attributes.get('w:val') ?? '';
        if (name === 'w:style') {
          open = { name: '', basedOn: '', outline: null };
          styles.set(attributes.get('w:styleId') ?? '', open);
        } else if (name === 'w:lang' && open === null) language ??= value;
        else if (open === null) return;
        else if (name === 'w:name') open.name = value.toLowerCase();
        else if (name === 'w:basedOn') open.basedOn = value;
        else if (name === 'w:outlineLvl') open.outline = levelOfOutline(value);
      },
      close: (name) => {
        if (name === 'w:style') open = null;
      },
    });
  }
  const levelOf = (styleId: string): number | null => {
    let style = styles.get(styleId);
    for (let step = 0; style !== undefined && step < MAX_STEPS; step++) {
      if (style.outline !== null) return headingLevel(style.outline);
      if (style.name === 'title') return 0;
      const digit = /^heading ([1-9])$/.exec(style.name)?.[1];
      if (digit !== undefined) return Math.min(6, Number(digit));
      style = styles.get(style.basedOn);
    }
    return null;
  };
  return { levelOf, language };
}

export const levelOfOutline = (value: string): number | null => (/^[0-9]$/.test(value) ? Number(value) : null);

/** Levels beyond the sixth are kept at the sixth, as HTML has them; body text is none. */
export const headingLevel = (outline: number): number | null => (outline > 8 ? null : Math.min(6, outline + 1));
