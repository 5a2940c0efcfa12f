import { describe, expect, it } from '@jest/globals';
import { utf8, type ContributionId } from '@usufruct/kernel';
import { ingestDocument } from '../ingest/ingest-document.js';
import { Corpus } from '../retrieve/corpus.js';
import { answerQuestion } from './answer-question.js';
import { questionTerms } from './question-terms.js';

describe('the terms of a question', () => {
  it.each([
    ['When is oxalic acid used?', ['oxalic', 'acid']],
    ['Which site is 4a1x, and what is on an A4 sheet?', ['site', '4a1x', 'a4', 'sheet']],
    ['Wann wird Oxalsäure gegen Varroa verwendet?', ['oxalsaure', 'varroa', 'verwendet']],
    ["Quand est-ce que l'acide oxalique est utilisé ?", ['acide', 'oxalique', 'utilise']],
    ['¿Cuándo se usa el ácido oxálico?', ['usa', 'acido', 'oxalico']],
    ['Когда применяют щавелевую кислоту?', ['применяют', 'щавелевую', 'кислоту']],
    ['草酸什么时候使用？', ['草酸', '使用']],
    ['シュウ酸はいつ使いますか？', ['シュ', 'ュウ', 'ウ酸', '酸は', '使い']],
    // Of no language with a list: every word counts.
    ['Mikor használnak oxálsavat?', ['mikor', 'hasznalnak', 'oxalsavat']],
    // Words that two languages share say nothing of one that a document may be about.
    ['Como', ['como']],
    ['什么?', []],
    ['谁是王？', ['是王']],
    ['', []],
  ])('%s', (question, terms) => expect([...questionTerms(question)]).toEqual(terms));

  it('keeps what a question in one language is about, where it asks in another', () => {
    expect([...questionTerms('What is the Die Welt newspaper?')]).toContain('welt');
    expect([...questionTerms('When does war come?')]).toEqual(expect.arrayContaining(['war', 'come']));
    expect([...questionTerms('Where is Lake Como?')]).toEqual(['lake', 'como']);
  });
});

describe('an answer in the language of question and document', () => {
  const TEXTS: Readonly<Record<string, string>> = {
    de: 'Im Spätsommer werden die Völker gefüttert, weil die Tracht zu Ende ist. Oxalsäure wird im Dezember geträufelt, wenn keine Brut vorhanden ist. Die Königin legt im Frühjahr die meisten Eier.',
    fr: 'À la fin de l’été, on nourrit les colonies. L’acide oxalique est appliqué en décembre, quand il n’y a plus de couvain. La reine pond le plus au printemps.',
    es: 'A finales de verano se alimentan las colonias. El ácido oxálico se aplica en diciembre, cuando no hay cría. La reina pone más huevos en primavera.',
    ru: 'В конце лета семьи подкармливают. Щавелевая кислота применяется в декабре, когда в улье нет расплода. Матка откладывает больше всего яиц весной.',
    zh: '夏末要给蜂群喂食。草酸在十二月使用，因为那时没有幼虫。蜂王在春天产卵最多。',
    ja: '夏の終わりに蜂群に給餌する。シュウ酸は幼虫がいない十二月に使う。女王蜂は春に最も多く産卵する。',
  };
  const corpusOf = async (language: string): Promise<Corpus> => {
    const document = await ingestDocument(
      { fileName: 'a.txt', bytes: utf8(TEXTS[language]!) },
      { sketchKey: new Uint8Array(8) },
    );
    return new Corpus([{ contributionId: `0x${'a'.repeat(64)}` as ContributionId, fileName: 'a.txt', document }]);
  };

  it.each([
    ['de', 'Wann wird Oxalsäure geträufelt?', 'Dezember'],
    ['de', 'Wann legt die Königin die meisten Eier?', 'Frühjahr'],
    ['fr', "Quand faut-il appliquer l'acide oxalique ?", 'décembre'],
    ['es', '¿Cuándo se debe usar el ácido oxálico?', 'diciembre'],
    ['ru', 'Когда применяется щавелевая кислота?', 'декабре'],
    ['zh', '草酸什么时候使用？', '十二月'],
    ['ja', 'シュウ酸はいつ使いますか？', '十二月'],
  ])('%s: %s', async (language, question, answer) => {
    expect((await answerQuestion(await corpusOf(language), question, 8)).text).toContain(answer);
  });

  it.each([
    ['de', 'Was ist die Hauptstadt von Frankreich?'],
    ['de', 'Wie hoch ist das Gehalt der Königin der Niederlande?'],
    ['fr', 'Quelle est la capitale de la France ?'],
    ['es', '¿Cuál es la capital de Francia?'],
    ['ru', 'Какой город является столицей Франции?'],
    ['zh', '法国的首都是什么？'],
    ['ja', 'フランスの首都はどこですか？'],
  ])('%s: does not know: %s', async (language, question) => {
    expect((await answerQuestion(await corpusOf(language), question, 8)).isKnown).toBe(false);
  });
});
