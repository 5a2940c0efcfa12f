import { describe, expect, it } from '@jest/globals';
import { judgeOutput } from './judge-output.js';

const PASSAGE = { text: 'Bees sleep in winter under the snow.', headings: [], language: 'en', sources: [] };
const judged = (output: string): string[] =>
  judgeOutput(output, [PASSAGE], 'When do bees sleep?', 'marker').map(({ text }) => text);

describe('addresses in what a model wrote', () => {
  it.each([
    'evil.example',
    'see...evil.example',
    '//evil.example/x',
    'evil.example:80/x?y=1',
    `${'a.'.repeat(40)}evil.example`,
    '1.2.3.4',
  ])('%s is none of it', (address) => {
    const [text = ''] = judged(`Bees sleep in winter under the snow ${address} [1].`);
    expect(text).toMatch(/^Bees sleep in winter under the snow/);
    expect(text).not.toMatch(/evil|1\.2/);
  });

  it('take no square of their length: minutes, and the runner answers nobody meanwhile', () => {
    const said = judged(`Bees sleep in winter [1].\n\nBees ${'a.'.repeat(200_000)} [1].`);
    expect(said[0]).toBe('Bees sleep in winter.');
    expect(said.join()).not.toContain('a.a.a');
  });
});
