/**
 * Scripts that (nearly) one language of the web is written in, as ranges of code points, with that language. Latin,
 * Cyrillic and Arabic are told apart further below.
 */
const SCRIPTS: readonly (readonly [from: number, to: number, language: string])[] = [
  [0x0370, 0x03ff, 'el'],
  [0x0400, 0x052f, 'Cyrl'],
  [0x0530, 0x058f, 'hy'],
  [0x0590, 0x05ff, 'he'],
  [0x0600, 0x077f, 'Arab'],
  [0x0900, 0x097f, 'hi'],
  [0x0980, 0x09ff, 'bn'],
  [0x0a00, 0x0a7f, 'pa'],
  [0x0a80, 0x0aff, 'gu'],
  [0x0b80, 0x0bff, 'ta'],
  [0x0c00, 0x0c7f, 'te'],
  [0x0c80, 0x0cff, 'kn'],
  [0x0d00, 0x0d7f, 'ml'],
  [0x0d80, 0x0dff, 'si'],
  [0x0e00, 0x0e7f, 'th'],
  [0x0e80, 0x0eff, 'lo'],
  [0x0f00, 0x0fff, 'bo'],
  [0x1000, 0x109f, 'my'],
  [0x10a0, 0x10ff, 'ka'],
  [0x1200, 0x139f, 'am'],
  [0x1780, 0x17ff, 'km'],
  [0x1e00, 0x1eff, 'Latn'],
  [0x3040, 0x30ff, 'ja'],
  [0x3400, 0x4dbf, 'Hani'],
  [0x4e00, 0x9fff, 'Hani'],
  [0xac00, 0xd7af, 'ko'],
];
/** Frequent words that few other languages of the same script have. */
const WORDS: Readonly<Record<string, string>> = {
  en: 'the and of to is that for with was this are which be not from have',
  de: 'der die das und ist nicht mit ein eine auf für den dem werden wird sich auch',
  fr: 'le les des est une dans pour que qui pas sur avec sont du ce il nous',
  es: 'el los las una que por para con está como más del pero es son su',
  it: 'il di che una per non con sono della gli dei nel più è anche alla',
  pt: 'o os uma que para não com são mais dos em do da ao pelo é',
  nl: 'het een van is niet met voor zijn op dat aan ook worden wordt bij de',
  sv: 'och att är som för inte med det till av den har ett på om',
  da: 'og at er som for ikke med det til af den har et på der',
  nb: 'og å er som for ikke med det til av den har et på ble',
  fi: 'ja on ei se että oli mutta myös kun joka ovat hän tämä sekä',
  pl: 'i w nie na się jest że do to z jak ale przez oraz dla są',
  cs: 'a v se na je že to s jako ale pro byl jsou také které při',
  hu: 'a az és hogy nem is egy van volt meg ez mint csak azt',
  ro: 'și în este nu cu care pentru din mai sunt la că pe o ale fost',
  tr: 've bir bu için ile da de olarak çok daha gibi olan değil ne',
  id: 'yang dan di dengan untuk ini itu dari pada tidak adalah dalam akan oleh',
  vi: 'và của là các được cho có không một trong người với này những',
  ru: 'и в не на что с по это как для из от но при или также',
  uk: 'і в не на що з це як для та від але при або також є',
  bg: 'и на да се за от ще са не по като това при или също в',
};
const LANGUAGES_OF_WORD = new Map<string, string[]>();
for (const [language, words] of Object.entries(WORDS)) {
  for (const word of words.split(' ')) LANGUAGES_OF_WORD.set(word, [...(LANGUAGES_OF_WORD.get(word) ?? []), language]);
}

const SAMPLE_CHARS = 1_000;
/** So many of the words have to be frequent ones of a language, and more than of the next one. */
const MIN_WORDS = 2;
const MIN_SHARE = 0.06;

/**
 * The language of a text (BCP 47), by script and then by frequent words; undefined where that does not tell. Looks at
 * the first 1,000 characters. Uses no model and no data that changes with the platform. A guess: nothing but how text
 * is cut and filtered may follow from it.
 */
export function detectLanguage(text: string): string | undefined {
  const sample = text.slice(0, SAMPLE_CHARS);
  const script = scriptOf(sample);
  if (script === 'Hani') return 'zh';
  if (script === 'Arab') return /[ٹڈڑےں]/.test(sample) ? 'ur' : /[پچژگکی]/.test(sample) ? 'fa' : 'ar';
  return script === undefined || script === 'Latn' || script === 'Cyrl' ? byWords(sample) : script;
}

function scriptOf(sample: string): string | undefined {
  const counts = new Map<string, number>();
  let latin = 0;
  for (let i = 0; i < sample.length; i++) {
    const unit = sample.charCodeAt(i);
    if (unit < 0x250) {
      if ((unit | 0x20) >= 0x61 && ((unit | 0x20) <= 0x7a || unit >= 0xc0)) latin++;
      continue;
    }
    const script = SCRIPTS.find(([from, to]) => unit >= from && unit <= to)?.[2];
    if (script !== undefined) counts.set(script, (counts.get(script) ?? 0) + 1);
  }
  // Japanese is written with more kanji than kana in places; Chinese has no kana at all.
  const [kana, han] = [counts.get('ja') ?? 0, counts.get('Hani') ?? 0];
  if (kana > 0 && kana * 10 >= han) counts.set('ja', kana + han).delete('Hani');
  let best = latin > 0 ? { script: 'Latn', count: latin } : undefined;
  for (const [script, count] of counts) if (count > (best?.count ?? 0)) best = { script, count };
  return best?.script;
}

function byWords(sample: string): string | undefined {
  const hits = new Map<string, number>();
  const words = sample.toLowerCase().match(/\p{L}+/gu) ?? [];
  for (const word of words) {
    for (const language of LANGUAGES_OF_WORD.get(word) ?? []) hits.set(language, (hits.get(language) ?? 0) + 1);
  }
  const [best, next] = [...hits].sort(([, left], [, right]) => right - left);
  const isClear = best !== undefined && best[1] > (next?.[1] ?? 0);
  return isClear && best[1] >= MIN_WORDS && best[1] >= MIN_SHARE * words.length ? best[0] : undefined;
}
