import { describe, expect, it } from '@jest/globals';
import { chunkDocument } from './chunk.js';
import { detectLanguage } from './language.js';
import { sentenceRanges } from './sentences.js';
import { countWords, wordRanges } from './words.js';

const sentencesOf = (text: string, language?: string) =>
  sentenceRanges(text, language).map(({ start, end }) => text.slice(start, end));
const THAI = 'วันนี้อากาศดีมากและฉันอยากไปเดินเล่นในสวนสาธารณะกับเพื่อน';

describe('the language of a text', () => {
  it.each([
    ['en', 'The bees are in the hive, and the queen is with them.'],
    ['de', 'Die Bienen sind im Stock, und die Königin ist nicht mit ihnen.'],
    ['fr', 'Les abeilles sont dans la ruche et la reine est avec elles pour que tout aille bien.'],
    ['es', 'Las abejas están en la colmena y la reina está con ellas, pero no son muchas.'],
    ['it', 'Le api sono nel loro alveare, che non è più di una casa per gli insetti.'],
    ['nl', 'De bijen zijn in het nest en de koningin is niet bij het raam.'],
    ['pl', 'Pszczoły są w ulu i królowa jest z nimi, ale nie na długo.'],
    ['cs', 'Včely jsou v úlu a královna je také s nimi, ale ne na dlouho, protože se to nedá.'],
    ['fi', 'Mehiläiset ovat pesässä ja kuningatar on myös siellä, mutta se ei ole pitkään.'],
    ['hu', 'A méhek a kaptárban vannak, és az anya is velük van, de nem sokáig, csak egy napig.'],
    ['tr', 'Arılar kovanda ve kraliçe de onlarla, çok uzun bir süre için değil.'],
    ['vi', 'Những con ong ở trong tổ và con chúa không có với chúng.'],
    ['ru', 'Пчёлы находятся в улье, и матка с ними, но это не на долго.'],
    ['uk', 'Бджоли є у вулику, і матка також з ними, але це не на довго.'],
    ['ja', '蜂は巣の中にいて、女王蜂も一緒にいます。'],
    ['zh', '蜜蜂在蜂巢里，蜂王和它们在一起。'],
    ['ko', '벌들은 벌집에 있고 여왕벌도 함께 있습니다.'],
    ['th', THAI],
    ['ar', 'النحل في الخلية والملكة معها'],
    ['fa', 'زنبورها در کندو هستند و ملکه با آنها است'],
    ['he', 'הדבורים בכוורת והמלכה איתן'],
    ['el', 'Οι μέλισσες είναι στην κυψέλη'],
    ['hi', 'मधुमक्खियाँ छत्ते में हैं और रानी उनके साथ है।'],
    ['ka', 'ფუტკრები სკაშია'],
  ])('%s', (language, text) => expect(detectLanguage(text)).toBe(language));

  it.each(['', '12.5; 7 %', 'Jar: 500 g; Euro: 7', 'xylophone', '😀😀'])('is not guessed of %j', (text) =>
    expect(detectLanguage(text)).toBeUndefined(),
  );
});

describe('sentences by language', () => {
  it.each<[string | undefined, string, string[]]>([
    [
      'de',
      'Das war am 3. Mai 2023. Danach, z.B. im Juni, kam Dr. Maier.',
      ['Das war am 3. Mai 2023.', 'Danach, z.B. im Juni, kam Dr. Maier.'],
    ],
    ['en', 'It has chapter 3. May follows.', ['It has chapter 3.', 'May follows.']],
    ['hi', 'रानी यहाँ है। वह अच्छी है॥ ठीक', ['रानी यहाँ है।', 'वह अच्छी है॥', 'ठीक']],
    ['ar', 'أين الملكة؟ هي هنا۔ نعم', ['أين الملكة؟', 'هي هنا۔', 'نعم']],
    ['hy', 'Մեկ։ Երկու։', ['Մեկ։', 'Երկու։']],
    ['ja', '女王は「ここだ。」と言った。次です｡終', ['女王は「ここだ。」', 'と言った。', '次です｡', '終']],
    // Thai has spaces between sentences, and within them: after 60 characters a space is an end.
    ['th', `${THAI}${THAI} สั้น ${THAI}${THAI} ${THAI}`, [`${THAI}${THAI}`, `สั้น ${THAI}${THAI}`, THAI]],
    [undefined, `${THAI} 12 ${THAI}`, [`${THAI} 12 ${THAI}`]],
  ])('%s: %s', (language, text, expected) => expect(sentencesOf(text, language)).toEqual(expected));
});

describe('words', () => {
  it('are counted by the dictionary where a script has no spaces', () => {
    expect(countWords('one two\nthree\u00a0four')).toBe(4);
    // วันนี้ อากาศ ดี มาก, "today the weather is very good"; วันนี้ is one word or two (วัน นี้, "this day").
    expect([4, 5]).toContain(countWords('วันนี้อากาศดีมาก', 'th'));
    expect(countWords('我喜欢蜂蜜 and tea', 'zh')).toBeGreaterThanOrEqual(5);
  });

  it('lose nothing when text is cut around them', () => {
    for (const text of [`${THAI}。${THAI}`, 'x'.repeat(5_000), `${'x'.repeat(1_999)}😀y`, '我喜欢蜂蜜，也喜欢茶。']) {
      const parts = [...wordRanges(text)].map(({ start, end }) => text.slice(start, end));
      expect(parts.join('')).toBe(text);
      expect(parts.every((part) => part.isWellFormed() && part.length <= 2_001)).toBe(true);
    }
  });

  it('bound a chunk of Thai or Chinese as they bound one of English', () => {
    for (const text of [THAI.repeat(60), '蜜蜂在蜂巢里蜂王和它们在一起'.repeat(80)]) {
      const chunks = chunkDocument({ blocks: [{ text, headings: [] }] });
      expect(chunks.length).toBeGreaterThan(3);
      for (const chunk of chunks) expect(countWords(chunk.text)).toBeLessThanOrEqual(220);
      expect(chunks.map((chunk) => chunk.text).join('')).toBe(text);
    }
  });
});
