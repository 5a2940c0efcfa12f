/**
 * Light stemming of English: steps 1a, 1b and 1c of M. F. Porter, "An algorithm for suffix stripping" (1980), which
 * take off plurals, `-ed`, `-ing` and unify final `y`/`i`. The later steps of the paper conflate more and hurt
 * precision. Lower-case ASCII words only; anything else is returned as it is.
 */
export function stemEnglish(word: string): string {
  if (word.length < 3 || !/^[a-z]+$/.test(word)) return word;
  return finalY(withoutPastAndGerund(withoutPlural(word)));
}

const VOWEL = /[aeiou]|[^aeiou]y/;
const hasVowel = (stem: string): boolean => VOWEL.test(stem) || stem.startsWith('y');
/** The paper's measure m: how often a run of vowels is followed by a run of consonants. */
const measure = (stem: string): number => stem.replace(/(?<=[^aeiou])y/g, 'i').match(/[aeiou]+[^aeiou]+/g)?.length ?? 0;
/** `*o`: ends consonant, vowel, consonant, the last not w, x or y. */
const endsShort = (stem: string): boolean => /[^aeiou][aeiouy][^aeiouwxy]$/.test(stem);

function withoutPlural(word: string): string {
  if (word.endsWith('sses') || word.endsWith('ies')) return word.slice(0, -2);
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

function withoutPastAndGerund(word: string): string {
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find((ending) => word.endsWith(ending) && hasVowel(word.slice(0, -ending.length)));
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/([^aeiouylsz])\1$/.test(stem)) return stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

const finalY = (word: string): string =>
  word.endsWith('y') && hasVowel(word.slice(0, -1)) ? `${word.slice(0, -1)}i` : word;
