import { termsOf } from '@usufruct/retrieval';

/**
 * Of languages that put spaces between words: what asks, then what only holds a sentence together. Index terms have no
 * such list but the English one, for there what stands everywhere weighs little; in a question a word that no document
 * has weighs most, and documents seldom ask.
 */
const WORDS: Readonly<Record<string, readonly [asking: string, holding: string]>> = {
  en: [
    'what which who whom whose when where why how',
    'the a an of to is are was were do does did in on at for from with by and or not be been can has have had it that',
  ],
  de: [
    'wann warum weshalb wieso wie wer wen wem wessen was wo wohin woher wodurch womit wofür worin worauf woran welche welcher welches welchen welchem wieviel wieviele',
    'der die das den dem des ein eine einer eines einem einen und oder ist sind war waren wird werden wurde wurden hat haben hatte kann können muss müssen darf dürfen soll sollen man es sich nicht kein keine in im an am auf aus bei beim mit nach von vom vor zu zum zur für gegen über unter um durch als auch noch nur er sie ihr wenn dass denn bitte gibt',
  ],
  fr: [
    'quand comment pourquoi combien quel quelle quels quelles lequel laquelle où qui quoi que',
    'le la les l un une des du de d et ou est sont était étaient être a ont avait peut peuvent doit doivent faut il elle ils elles on ce cette ces c s se n ne pas en dans au aux à sur sous par pour avec sans entre son sa ses leur qu y plus',
  ],
  es: [
    'cuándo cuando cómo qué cuál cuáles cuánto cuánta cuántos cuántas dónde quién quiénes',
    'el la los las un una unos unas de del al y o es son era fue está están hay ser se que no en con por para sin sobre entre a su sus lo le les como más muy debe deben puede pueden tiene tienen',
  ],
  it: [
    'quando come perché quale quali qual quanto quanta quanti quante dove chi cosa cos',
    'il lo la i gli le l un uno una di del dello della dei degli delle da dal dalla in nel nella a al alla ai alle con su sul sulla per tra fra e ed o è sono era si che non deve devono può possono ha hanno c dell all nell',
  ],
  pt: [
    'quando como porque porquê qual quais quanto quanta quantos quantas onde quem quê',
    'o a os as um uma de do da dos das e ou é são era foi está se que não em no na nos nas com por para sem sobre ao aos à deve devem pode podem tem têm há',
  ],
  nl: [
    'wanneer waarom welke welk hoe hoeveel wie wat waar waarmee waardoor waarvoor',
    'de het een en of is zijn was waren wordt worden werd kan kunnen moet moeten mag men je er niet geen in op aan van voor met bij naar uit om te door over tegen als ook nog heeft hebben dat die deze dit',
  ],
  pl: [
    'kiedy jak dlaczego czemu ile gdzie kto kogo co czego czym który która które jaki jaka jakie czy',
    'i a w we z ze na do od o u po za przy przez dla jest są był była było być się nie to ten ta te może można musi należy lub albo',
  ],
  ru: [
    'когда как почему зачем сколько где куда откуда кто кого что чего чем какой какая какое какие каков какова какова каковы',
    'и в во на с со к ко о об от до по за из у для при не ли это есть был была было были быть или а но он она они его её их же можно нужно',
  ],
  uk: [
    'коли як чому навіщо скільки де куди звідки хто кого що чого чим який яка яке які',
    'і й та в у на з із до від о об по за для при не чи це є був була було були бути або але він вона вони його її їх можна треба',
  ],
  tr: [
    'ne nasıl neden niçin niye kaç nerede nereye nereden kim kimin hangi mi mı mu mü zaman',
    've veya ile bir bu şu o için da de olarak kadar gibi var yok olan olur edilir dir dır',
  ],
};
const LANGUAGES = Object.values(WORDS).map(([asking, holding]) => ({
  asking: new Set(asking.split(' ')),
  all: new Set(`${asking} ${holding}`.split(' ')),
}));
/** Of scripts without spaces: what asks is cut out, wherever it stands. Longer ones first, for the first that fits is taken. */
const UNSPACED_ASKING = new RegExp(
  [
    '什[么麼]时候|什麼時候|[为為]什[么麼]|是什[么麼]|什[么麼]|怎[么麼]样|怎[么麼]樣|怎[么麼]|怎[样樣]|如何|多少|哪[里裡]|哪[个個]|哪些|哪|[谁誰]|何[时時]|是否|[吗嗎呢]|[请請][问問]',
    'いつ|なぜ|どうして|どのように|どのくらい|どこ|どの|どれ|どう|だれ|誰|何|いくら|いくつ|でしょうか|ましたか|ですか|ますか|のか',
    'เมื่อไหร่|เมื่อไร|เมื่อใด|ทำไม|อย่างไร|ยังไง|ที่ไหน|ใคร|อะไร|เท่าไหร่|เท่าไร|กี่|ไหม|หรือไม่',
  ].join('|'),
  'gu',
);
/** With its digits: a letter of `4a1` is no word. */
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const UNSPACED =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]$/u;

/**
 * What a question is about: its index terms without the words that only ask, in the language that most of its small words
 * are of. Where no language is clearly that, and in those that have no list here, every word counts.
 */
export function questionTerms(question: string): Set<string> {
  const words = question.normalize('NFC').match(WORD) ?? [];
  const small = smallWordsOf(words.map((word) => word.toLowerCase()));
  const about = question
    .normalize('NFC')
    .replace(UNSPACED_ASKING, ' ')
    .replace(WORD, (word) => (small.has(word.toLowerCase()) ? ' ' : word));
  const terms = new Set(termsOf(about));
  // One character is no term of a text, where they stand in pairs.
  const whole = [...terms].filter((term) => !UNSPACED.test(term));
  return whole.length > 0 ? new Set(whole) : terms;
}

const NONE: ReadonlySet<string> = new Set();

/** Of the language that has most of them, one that asks among them; none where two languages have as many. */
function smallWordsOf(words: readonly string[]): ReadonlySet<string> {
  const found = LANGUAGES.map(({ asking, all }) => ({
    all,
    isAsking: words.some((word) => asking.has(word)),
    hits: words.filter((word) => all.has(word)).length,
  })).sort((left, right) => right.hits - left.hits);
  const [best, next] = found;
  return best !== undefined && best.isAsking && best.hits > (next?.hits ?? 0) ? best.all : NONE;
}
