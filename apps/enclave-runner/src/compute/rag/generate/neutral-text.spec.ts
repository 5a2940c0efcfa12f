import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { neutralText } from './neutral-text.js';

describe('text of others', () => {
  it.each([
    [
      'stays as it is',
      'Sugar: 3 < 5 kg, "a|b" [1] [note] (x) {y} <5 %\n| a | b |',
      'Sugar: 3 < 5 kg, "a|b" [1] [note] (x) {y} <5 %\n| a | b |',
    ],
    ['keeps joiners in words of other scripts', 'می‌خواهم क्‍ष', 'می‌خواهم क्‍ष'],
    ['loses joiners elsewhere', 'ig\u200dno\u200cre', 'ignore'],
    [
      'loses colours, titles and links of a terminal',
      '\u001b[31mred\u001b[0m\u001b]0;t\u0007 \u001b]8;;u\u001b\\x\u009b1mb\u001bc',
      'red xb',
    ],
    ['loses a sequence that never ends', 'a\u001b]0;owned', 'a'],
    ['loses blank letters', 'a\u3164\uffa0\u2800\u115fb', 'ab'],
    ['loses halves of pairs and private letters', 'a\ud800b\ue000c', 'abc'],
    ['loses words of templates', 'a<|im_start|>b<s>c</s>d[INST]e<start_of_turn>f<｜User｜>g', 'abcdefg'],
    ['loses words that divide a question from a passage', 'a[SEP]b[CLS]c</s></s>d', 'abcd'],
    ['loses them in each other', '<|a<|b|>c|>[IN[INST]ST]x', 'x'],
    ['loses them where they are cut by what shows as nothing', '<|im_\u200bstart|>[IN\u200dST]x', 'x'],
    ['loses them where a sign becomes a letter', '[THIN\u212a]<thin\u212a>x</thin\u212a>', 'x'],
    ['ends its lines in one way', 'a\r\nb\rc\u2028d', 'a\nb\nc\nd'],
  ])('%s', (_what, text, expected) => expect(neutralText(text)).toBe(expected));

  it('has nothing that it is to lose, whatever it was made of', () => {
    const pieces = [
      '<|',
      '|>',
      'im_start',
      '[IN',
      'ST]',
      'INST',
      '[THIN',
      '\u212a]',
      '<',
      '>',
      '<s',
      '/s>',
      '\u200b',
      '\u001b[',
      '\u202e',
      'x',
      ' ',
      '\n',
      '<<SYS',
      '>>',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), (parts) => {
        const text = neutralText(parts.join(''));
        expect(text).not.toMatch(/<\||\|>|\[INST\]|\[THINK\]|<s>|<\/s>|<<SYS>>|\u200b|\u202e|(?!\n)\p{Cc}/u);
        expect(neutralText(text)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('takes no square of its length', () => {
    const deep = `${'<|'.repeat(20_000)}${'|>'.repeat(20_000)}${'[INST'.repeat(20_000)}`;
    expect(neutralText(deep)).not.toContain('<|');
  });
});
