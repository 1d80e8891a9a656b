// Checks what a user has chosen against the questions that are open. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { pluralize } from '../../pluralize.ts';
import type { Ask } from '../activity.ts';

/** What the user gave: the words of a command line, one for each question, and a text of their own. */
export interface Choice {
  readonly words: readonly string[];
  readonly text?: string | undefined;
}

/** Option ids are those of the ask. */
export type Answer =
  /** To a permission or a plan; the text is the reason of a refusal. */
  | { readonly kind: 'decision'; readonly option: string; readonly text?: string | undefined }
  /** To the questions of one call, in their order. */
  | { readonly kind: 'answers'; readonly answers: readonly GivenAnswer[] };

/** Options of the question, or a text in their place. */
export interface GivenAnswer {
  readonly options: readonly string[];
  readonly text?: string | undefined;
}

const yes = ['yes', 'y', 'allow', 'approve', 'once'];
const no = ['no', 'n', 'deny', 'reject'];

/** The questions of one call have the ids `call`, `call:2`, `call:3`, … */
export function callOf(askId: string): string {
  return askId.replace(/:\d{1,2}$/, '');
}

/** The open questions of one call. Without an id, of the only call that asks. Throws `usage` and `ask-gone`. */
export function asksToAnswer(
  name: string,
  asks: readonly Ask[],
  id: string | undefined,
): readonly Ask[] {
  const calls = [...new Set(asks.map((ask) => callOf(ask.id)))];
  if (id === undefined && calls.length > 1)
    throw new CoiError('usage', `the agent in ${name} asks ${calls.length} questions at once`, {
      hint: `Run \`coi answer ${name}\` to see them, and name one with --ask.`,
    });
  const isKnown = id === undefined || calls.includes(id) || asks.some((ask) => ask.id === id);
  const wanted = id === undefined ? calls[0] : callOf(id);
  const found = isKnown ? asks.filter((ask) => callOf(ask.id) === wanted) : [];
  if (found.length > 0) return found;
  throw new CoiError('ask-gone', `this question of the agent in ${name} is no longer open`, {
    hint:
      asks.length === 0
        ? `Run \`coi list\` to see what the agent does.`
        : `Run \`coi answer ${name}\` to see what it asks now.`,
  });
}

/** `asks`: the questions of one call. Throws `usage` if the choice does not fit. */
export function answerOf(asks: readonly Ask[], { words, text }: Choice): Answer {
  const [first] = asks;
  if (!first) throw new Error('an answer needs a question');
  if (first.kind !== 'question') return decisionOf(first, words, text);
  if (words.length === 0 && text !== undefined && asks.length === 1)
    return { kind: 'answers', answers: [{ options: [], text }] };
  if (text !== undefined)
    throw new CoiError('usage', 'a text of your own answers one question', {
      hint: 'Choose options for several questions, and leave --text out.',
    });
  if (words.length !== asks.length)
    throw new CoiError(
      'usage',
      `${pluralize(asks.length, 'question')} cannot take ${pluralize(words.length, 'answer')}`,
      { hint: 'Give one answer for each question, in their order.' },
    );
  return {
    kind: 'answers',
    answers: asks.map((ask, index) => ({ options: optionsOf(ask, words[index] ?? '') })),
  };
}

function decisionOf(ask: Ask, words: readonly string[], text: string | undefined): Answer {
  const [word, ...more] = words;
  if (word === undefined || more.length > 0)
    throw new CoiError('usage', 'this question takes one answer', { hint: choices(ask) });
  const option = findOption(ask, word) ?? aliasIn(ask, word);
  if (option === undefined) throw unknownOption(ask, word);
  if (text !== undefined && !no.includes(option))
    throw new CoiError('usage', 'only a refusal takes a text', {
      hint: 'Send the agent a message with `coi send` afterwards.',
    });
  return { kind: 'decision', option, ...(text !== undefined && { text }) };
}

/** `yes` and `no`, whatever the agent calls them. */
function aliasIn({ options }: Ask, word: string): string | undefined {
  const same = [yes, no].find((words) => words.includes(word.toLowerCase()));
  return options.find(({ id }) => same?.includes(id))?.id;
}

/** Whether a word chooses options of the question: anything else is a text of the user's own. */
export function isOption(ask: Ask, word: string): boolean {
  return partsOf(ask, word).every((part) => findOption(ask, part) !== undefined);
}

function optionsOf(ask: Ask, word: string): readonly string[] {
  const options = partsOf(ask, word).map((part) => {
    const option = findOption(ask, part);
    if (option === undefined) throw unknownOption(ask, part);
    return option;
  });
  return [...new Set(options)];
}

/** Several options have commas between them; one may contain commas itself. */
function partsOf(ask: Ask, word: string): readonly string[] {
  return ask.multiple === true && findOption(ask, word) === undefined ? word.split(',') : [word];
}

/** By id or label; what only differs in case counts if nothing is the same. */
function findOption({ options }: Ask, word: string): string | undefined {
  const wanted = word.trim();
  const same = options.filter(({ id, label }) => id === wanted || label === wanted);
  const [found, ...others] =
    same.length > 0
      ? same
      : options.filter(({ label }) => label.toLowerCase() === wanted.toLowerCase());
  // Two options with the same label: only the id tells them apart.
  return others.length === 0 ? found?.id : options.find(({ id }) => id === wanted)?.id;
}

function unknownOption(ask: Ask, word: string): CoiError {
  return new CoiError('usage', `${quoted(word)} is no option of this question`, {
    hint: choices(ask),
  });
}

function choices({ kind, options }: Ask): string {
  if (kind === 'question')
    return `Choose one of: ${options.map(({ id, label }) => `${id} (${label})`).join(', ')}; or give a text of your own with --text.`;
  return `Choose one of: ${options.map(({ id }) => id).join(', ')}.`;
}
