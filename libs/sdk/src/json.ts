/** `undefined` for text that is not JSON: the zod schema that comes next refuses it and says whose fault it is. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
