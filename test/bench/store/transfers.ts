/** A file and its way over bare HTTP, in parts of the size that a contribution has and with as many under way. */

export const MIB = 1024 ** 2;
export const PART_BYTES = 4 * MIB;
const AT_ONCE = 2;
/** What a file system hands out at a time. */
const PIECE_BYTES = 64 * 1024;

/** Random, so that no store has it already. */
export function randomFile(bytes: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += PIECE_BYTES) crypto.getRandomValues(file.subarray(at, at + PIECE_BYTES));
  return file;
}

export const partsOf = (file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] =>
  Array.from({ length: Math.ceil(file.length / PART_BYTES) }, (_, i) =>
    file.subarray(i * PART_BYTES, (i + 1) * PART_BYTES),
  );

export async function* piecesOf(file: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < file.length; at += PIECE_BYTES) yield file.subarray(at, at + PIECE_BYTES);
}

/** What each `work` gives, in the order of the items. */
export async function inLanes<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

export async function send(url: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await fetch(url, { method: 'PUT', body });
  if (response.status !== 200) throw new Error(`PUT: status ${response.status}`);
  return response.text();
}

export async function receive(url: string, bytes: number): Promise<void> {
  const response = await fetch(url);
  const { byteLength } = await response.arrayBuffer();
  if (byteLength !== bytes) throw new Error(`GET: ${byteLength} bytes instead of ${bytes}`);
}
