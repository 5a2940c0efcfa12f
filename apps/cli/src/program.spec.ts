import { describe, expect, it } from '@jest/globals';
import { buildProgram } from './program.js';

const streams = { out: () => undefined, err: () => undefined, bars: null, ask: null };
const open = (): never => {
  throw new Error('no command is run here');
};
const namesFor = async (...words: string[]): Promise<string[]> => {
  const program = await buildProgram({ argv: ['node', 'usufruct', ...words], streams, open });
  return program.commands.map((command) => command.name());
};

describe('which commands are loaded', () => {
  it('each by its own name, alone', async () => {
    const all = await namesFor();
    expect(all).toContain('contribute');
    for (const name of all) expect(await namesFor('--json', name, 'x')).toEqual([name]);
  });

  it.each([['--help'], ['contribute', '--help'], ['-h', 'contribute'], ['help', 'contribute'], ['frobnicate']])(
    'all of them for help and for what is none: %s %s',
    async (...words) => {
      expect(await namesFor(...words)).toEqual(await namesFor());
    },
  );

  it('what may be meant: a file can have the name of a command', async () => {
    expect(await namesFor('--home', 'wallet', 'contribute', 'x.txt')).toEqual(['wallet', 'contribute']);
  });
});
