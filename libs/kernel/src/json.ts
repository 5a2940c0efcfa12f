import { fromUtf8 } from './bytes.js';

/**
 * The value of a text of JSON (RFC 8259), or of its bytes in UTF-8. `undefined` for what is none: the schema that comes
 * next refuses it and says whose fault it is. Whoever reads from others has bounded the size before.
 */
export function parseJson(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : fromUtf8(text)) as unknown;
  } catch {
    return undefined;
  }
}
