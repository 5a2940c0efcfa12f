/** Many models want to be told which of the two they read; to some it makes no difference. */
export type TextRole = 'passage' | 'question';

/** What makes vectors of texts; a text and a question that mean the same lie close. */
export interface Embedder {
  /** What the vectors are of: only those of one model, given its texts in one way, can be compared. */
  readonly modelHash: string;
  /** One vector a text, all of one width. Rejects where the model does not answer. */
  embed(texts: readonly string[], role: TextRole): Promise<Float32Array[]>;
}

/**
 * What is shorter than twice this is refused for something else than its length: some tokenizers write one character out
 * as up to eighteen (U+FDFA), which makes 270 of fifteen, and models read 512 tokens or more.
 */
export const SHORT_CHARS = 8;

/**
 * Vectors of texts of which some may be longer than the model takes. How long that is only its tokenizer knows, and
 * servers differ in what they say: so what is refused is tried again in halves, first the list and then the text, whose
 * vector is the mean of its parts' (each as long as one). A server that cuts texts by itself does not say so.
 *
 * `embed` rejects with `UPSTREAM_INVALID` and the server's status; what is refused for anything else than its input, and
 * short texts that are refused, reject as they do. Before it a server that refuses everything is asked some twenty times.
 */
export async function embedWhole(
  embed: (texts: readonly string[]) => Promise<Float32Array[]>,
  texts: readonly string[],
): Promise<Float32Array[]> {
  try {
    return await embed(texts);
  } catch (error) {
    if (!isInputRefused(error)) throw error;
    if (texts.length > 1) {
      const middle = texts.length >> 1;
      return [...(await embedWhole(embed, texts.slice(0, middle))), ...(await embedWhole(embed, texts.slice(middle)))];
    }
    const [text = ''] = texts;
    const halves = halvesOf(text);
    if (text.length < 2 * SHORT_CHARS || halves.length === 0) throw error;
    return [meanOf(await embedWhole(embed, halves))];
  }
}

/** llama.cpp answers 500 to more than its batch and 400 to more than its context, vLLM and Ollama 400, TEI 413 or 422. */
const INPUT_REFUSED = ['400', '413', '422', '500'];

/**
 * Whether a model server would not have what it was sent; perhaps less of it. The kernel's error is known by its form: the
 * processes that make indexes load this library without it.
 */
export function isInputRefused(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error && 'details' in error)) return false;
  const { code, details } = error;
  const status = typeof details === 'object' && details !== null && 'status' in details ? details.status : null;
  return code === 'UPSTREAM_INVALID' && INPUT_REFUSED.some((one) => one === status);
}

/** At white space where there is some about the middle, else never within a character. None is blank, which some servers refuse. */
function halvesOf(whole: string): string[] {
  const text = whole.trim();
  const middle = text.length >> 1;
  const space = text.slice(0, middle).search(/\s\S*$/);
  const isNear = space > text.length / 4;
  const isWithin = /^[\uDC00-\uDFFF]/.test(text.slice(middle));
  const at = isNear ? space : isWithin ? middle - 1 : middle;
  return [text.slice(0, at).trim(), text.slice(at).trim()].filter((half) => half !== '');
}

function meanOf(vectors: readonly Float32Array[]): Float32Array {
  const units = vectors.map((vector) => {
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return length === 0 ? vector : vector.map((value) => value / length);
  });
  return units.reduce((sum, unit) => sum.map((value, i) => value + unit[i]!));
}
