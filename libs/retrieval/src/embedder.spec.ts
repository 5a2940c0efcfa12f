import { describe, expect, it } from '@jest/globals';
import { refuse } from '@usufruct/kernel';
import fc from 'fast-check';
import { embedWhole } from './embedder.js';

/** A model that reads `most` characters: its vectors count the letters a, b and all others, and are as long as they come. */
function modelOf(most: number, status = '400') {
  const asked: (readonly string[])[] = [];
  const read = (text: string): Float32Array => {
    const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
    return Float32Array.of(count(/a/g), count(/b/g), count(/[^ab]/g));
  };
  const embed = async (texts: readonly string[]): Promise<Float32Array[]> => {
    asked.push(texts);
    if (texts.some((text) => text.length > most)) throw refuse('UPSTREAM_INVALID', { status });
    return texts.map(read);
  };
  return { asked, embed, read };
}

describe('vectors of texts that may be longer than the model takes', () => {
  it('are asked for at once where none is', async () => {
    const { asked, embed, read } = modelOf(100);
    expect(await embedWhole(embed, ['a', 'bb'])).toEqual([read('a'), read('bb')]);
    expect(asked).toEqual([['a', 'bb']]);
    expect(await embedWhole(embed, [])).toEqual([]);
  });

  // llama.cpp by its batch and by its context, vLLM, Ollama and TEI: see `embedder.ts`.
  it.each(['400', '413', '422', '500'])(
    'come for the others as they are, and for the long one, after %s',
    async (status) => {
      const { embed, read } = modelOf(200, status);
      const long = `${'a'.repeat(190)} ${'b'.repeat(190)}`;
      const vectors = await embedWhole(embed, ['ab', long, 'ba', 'bb', 'aa']);
      expect([0, 2, 3, 4].map((i) => vectors[i])).toEqual(['ab', 'ba', 'bb', 'aa'].map(read));
      // Its halves are 190 a and 190 b: (1, 0, 0) and (0, 1, 0).
      expect(vectors[1]).toEqual(Float32Array.of(1, 1, 0));
    },
  );

  it('are of every character of a text, each read once, of no half of one, and of no blank part', async () => {
    const aPart = fc.constantFrom('a', 'b', ' ', '𝄞', 'é', ' '.repeat(200));
    const aText = fc
      .array(aPart, { maxLength: 900 })
      .map((parts) => (parts.join('').trim() === '' ? '' : parts.join('')));
    await fc.assert(
      fc.asyncProperty(fc.array(aText, { maxLength: 9 }), async (texts) => {
        const read: string[] = [];
        const embed = async (some: readonly string[]): Promise<Float32Array[]> => {
          if (some.some((text) => text.length > 128)) throw refuse('UPSTREAM_INVALID', { status: '413' });
          read.push(...some);
          return some.map(() => Float32Array.of(1));
        };
        expect(await embedWhole(embed, texts)).toHaveLength(texts.length);
        expect(read.join('').replaceAll(' ', '')).toBe(texts.join('').replaceAll(' ', ''));
        expect(read.filter((text) => text.trim() === '' && !texts.includes(text))).toEqual([]);
        expect(read.every((text) => text.isWellFormed())).toBe(true);
      }),
    );
  });

  it('come for characters that a tokenizer writes out as whole sentences, and for the others beside them', async () => {
    const tokens = (text: string): number => text.normalize('NFKC').length;
    const { embed, read } = modelOf(0);
    const dense = (texts: readonly string[]) =>
      texts.some((text) => tokens(text) > 512) ? embed(texts) : Promise.resolve(texts.map(read));
    expect(tokens('\ufdfa')).toBe(18);
    expect(await embedWhole(dense, ['a', '\ufdfa'.repeat(120), 'b'])).toEqual([read('a'), Float32Array.of(0, 0, 2), read('b')]); // prettier-ignore
  });

  it('are not to be had of a server that refuses everything, which is soon known', async () => {
    const { asked, embed } = modelOf(-1, '500');
    await expect(embedWhole(embed, Array<string>(32).fill('x'.repeat(2_000)))).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      details: { status: '500' },
    });
    expect(asked.length).toBeLessThan(24);
  });

  it.each([
    ['a model that is not there', refuse('UPSTREAM_INVALID', { status: '404' })],
    ['a server that is away', refuse('UPSTREAM_UNAVAILABLE', { status: '503' })],
    ['vectors that are none', refuse('UPSTREAM_INVALID', { field: 'data' })],
    ['anything else', new Error('fault')],
  ])('are asked for once of %s', async (_what, error) => {
    let count = 0;
    const embed = async (): Promise<Float32Array[]> => {
      count += 1;
      throw error;
    };
    await expect(embedWhole(embed, ['x'.repeat(2_000), 'y'])).rejects.toBe(error);
    expect(count).toBe(1);
  });
});
