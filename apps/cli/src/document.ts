import { writeFileSync } from 'node:fs';
import type { JsonObject } from '@usufruct/consent';
import type { Terminal } from './terminal.js';

interface Document {
  readonly name: string;
  readonly document: JsonObject;
  readonly out: string | undefined;
}

/** A public JSON document: to a file where one is named, otherwise for reading. */
export function printDocument(terminal: Terminal, { name, document, out }: Document): void {
  const text = JSON.stringify(document, null, 2);
  if (out !== undefined) writeFileSync(out, `${text}\n`);
  terminal.result({ [name]: document }, [out === undefined ? text : `${name} in ${out}`]);
}
