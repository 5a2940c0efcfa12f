/** Operators and what each is replaced by. The formatter puts a space on either side of every one of them. */
const REPLACEMENTS = [
  [' == ', ' != '],
  [' != ', ' == '],
  [' <= ', ' < '],
  [' >= ', ' > '],
  [' < ', ' <= '],
  [' > ', ' >= '],
  [' + ', ' - '],
  [' - ', ' + '],
  [' * ', ' / '],
  [' / ', ' * '],
  [' % ', ' / '],
  [' && ', ' || '],
  [' || ', ' && '],
];

/**
 * Every mutant of a module's source: each assertion dropped and each negated, each comparison, arithmetic and logical
 * operator replaced, one at a time, with the abort code of the assertion that it is in, or null. Comments, attributes, constants and test-only code are left alone.
 */
export function mutantsOf(source) {
  const code = blanked(source);
  const asserted = [...assertionsIn(code)];
  return [...assertions(source, asserted), ...operators(source, code, asserted)].sort((a, b) => a.at - b.at);
}

/** The source with everything that is not mutated replaced by spaces, so that positions stay the same. */
function blanked(source) {
  const blank = (text) => text.replaceAll(/[^\n]/g, ' ');
  return source
    .replaceAll(/#\[test_only\]\n[^\n]*(?:\n(?!\}|\n)[^\n]*)*/g, blank)
    .replaceAll(/\/\/[^\n]*/g, blank)
    .replaceAll(/^(?:const|use|module|#\[)[^\n]*(?:\n {4}[^\n]*)*/gm, blank);
}

/** Where the condition of each assertion begins and ends, and the constant that it aborts with. */
function* assertionsIn(code) {
  for (const { index } of code.matchAll(/\bassert!\(/g)) {
    const from = index + 'assert!('.length;
    const to = lastCommaOfCall(code, from);
    yield { from, to, abortCode: /^,\s*(E[A-Za-z]+)/.exec(code.slice(to))[1] };
  }
}

function* assertions(source, asserted) {
  for (const { from, to, abortCode } of asserted) {
    const condition = source.slice(from, to);
    yield { ...mutant(source, from, to, 'true', 'assertion dropped'), abortCode };
    yield { ...mutant(source, from, to, `!(${condition})`, 'assertion negated'), abortCode };
  }
}

/** Where the condition of the assertion that starts here ends. */
function lastCommaOfCall(code, from) {
  let depth = 1;
  let comma = -1;
  for (let at = from; depth > 0; at++) {
    if ('([{'.includes(code[at])) depth += 1;
    if (')]}'.includes(code[at])) depth -= 1;
    if (depth === 1 && code[at] === ',' && /^,\s*E[A-Z]/.test(code.slice(at))) comma = at;
  }
  if (comma < 0) throw new Error('an assertion without an abort code');
  return comma;
}

function* operators(source, code, asserted) {
  for (const [operator, other] of REPLACEMENTS) {
    for (let at = code.indexOf(operator); at >= 0; at = code.indexOf(operator, at + 1)) {
      const abortCode = asserted.find(({ from, to }) => from <= at && at < to)?.abortCode ?? null;
      const what = `${operator.trim()} to ${other.trim()}`;
      yield { ...mutant(source, at, at + operator.length, other, what), abortCode };
    }
  }
}

const mutant = (source, from, to, replacement, what) => ({
  at: from,
  line: source.slice(0, from).split('\n').length,
  what,
  text: source.slice(0, from) + replacement + source.slice(to),
});
