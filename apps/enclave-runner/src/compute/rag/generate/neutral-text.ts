/**
 * Text of others as a model may be given it: what a reader sees, and nothing that only a tokenizer or a terminal does.
 * A document is data: it may say whatever it likes, but not in the voice of the system, a user or a tool.
 */

const [ESC, BELL, CSI, END] = ['\u001b', '\u0007', '\u009b', '\u009c'];
/** Colours, cursor movements, titles and links of terminals, as 7-bit and 8-bit sequences (ECMA-48 §5.4, §5.6). */
const TERMINAL = new RegExp(
  [
    `(?:${ESC}\\[|${CSI})[0-?]*[ -/]*[@-~]`,
    `(?:${ESC}[\\]PX^_]|[\u0090\u0098\u009d-\u009f])[^${BELL}${ESC}${END}]*(?:${BELL}|${ESC}\\\\|${END}|$)`,
    `${ESC}[ -/]*[0-~]`,
  ].join('|'),
  'g',
);

/**
 * What shows as nothing: controls, format characters (bidirectional ones and the tag alphabet among them), variation
 * selectors, private and unassigned code points, halves of pairs, and letters that are blank by themselves.
 */
const INVISIBLE =
  /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]|[\u{fe00}-\u{fe0f}]|[\u{e0100}-\u{e01ef}]|[\u{180b}-\u{180f}]|\u{34f}|[\u115f\u1160\u2800\u3164\uffa0]|\u{17b4}|\u{17b5}/gu;
/** The two joiners are part of words in scripts that are not Latin, and nowhere else. */
const LOOSE_JOINER = /(?<!(?!\p{Script=Latin})[\p{L}\p{M}])[\u200c\u200d]+/gu;

/** Words that chat templates are made of: ChatML, Llama, Mistral, Gemma, Phi, Qwen, DeepSeek, Command R, tools, thoughts; and those of BERT. */
const TEMPLATE_WORDS = [
  /<[|｜][^<>|｜\n]{0,64}[|｜]>/g,
  /<\/?(?:s|bos|eos|pad|unk|mask|sep|cls)>/gi,
  /<\/?(?:start_of_turn|end_of_turn|start_of_image|end_of_image|unused\d{1,3})>/gi,
  /<<\/?SYS>>/gi,
  /\[\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|CALL_ID|ARGS|THINK|IMG|PREFIX|SUFFIX|MIDDLE|CLS|SEP|MASK|PAD|UNK)\]/gi,
  /<\/?(?:tool_call|tool_response|tool_result|tools?|function(?:_calls?|_results?|s)?|invoke|parameter|think|thinking|reasoning|scratchpad|system|assistant|user|human|instructions?)(?:[\s=][^<>]{0,200})?>/gi,
];
/** What is left of a word that was put together from two halves. */
const TEMPLATE_EDGES = /<(?=[|｜])|(?<=[|｜])>|<(?=<)|(?<=>)>/g;

/** Words within words within words: nobody writes that to be read. */
const ROUNDS = 8;

export function neutralText(text: string): string {
  // At first, too: the sign for Kelvin becomes a K, and a word of a template with it.
  const shown = text
    .normalize('NFC')
    .replace(TERMINAL, '')
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(INVISIBLE, '')
    .replace(LOOSE_JOINER, '');
  return withoutTemplateWords(shown).replace(TEMPLATE_EDGES, ' ').normalize('NFC');
}

/** A word that hides in another one is found in the next round. */
function withoutTemplateWords(text: string): string {
  let left = text;
  for (let round = 0; round < ROUNDS; round++) {
    const before = left;
    for (const word of TEMPLATE_WORDS) left = left.replace(word, '');
    if (left === before) return left;
  }
  return left.replace(/[<>[\]]/g, ' ');
}

/** The same on one line. */
export const neutralLine = (text: string): string => neutralText(text).replace(/\s+/gu, ' ').trim();
