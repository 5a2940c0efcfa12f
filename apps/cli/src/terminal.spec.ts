import { describe, expect, it } from '@jest/globals';
import { refuse } from '@usufruct/kernel';
import { Terminal } from './terminal.js';

/** Sets the clipboard, colours, a title by one character of C1, a carriage return, and turns letters round. */
const EVIL = 'a\u001b]52;c;cm0gLXJm\u0007b\u009b31mc\rd\u202ee\u2066f';
const HARMLESS = 'a]52;c;cm0gLXJmb31mcdef';

describe('what a command says to people', () => {
  const said = (asJson = false) => {
    const [out, err]: [string[], string[]] = [[], []];
    const streams = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text) };
    return { out, err, terminal: new Terminal({ ...streams, bars: null, ask: null }, asJson) };
  };

  it('moves no terminal, whoever has written it', () => {
    const { out, err, terminal } = said();
    terminal.result({}, [EVIL, 'two\n\tlines']);
    terminal.remark(EVIL);
    terminal.error(refuse('NOT_FOUND', { object: EVIL }).toWire());
    expect(out).toEqual([`${HARMLESS}\ntwo\n\tlines\n`]);
    expect(err[0]).toBe(`${HARMLESS}\n`);
    expect(err[1]).toContain(`object: ${HARMLESS}`);
  });

  it('is left as it is where a program reads it', () => {
    const { out, terminal } = said(true);
    terminal.result({ text: EVIL }, []);
    expect(JSON.parse(out.join(''))).toEqual({ ok: true, text: EVIL });
  });
});
