/** The body of an answer; null as soon as there is more than the limit. A length that is announced is not relied on. */
export async function readAtMost(response: Response, bytesAtMost: number): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > bytesAtMost) return null;
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}
