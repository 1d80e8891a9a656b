// Finds the dialog of a question on the screen of Claude Code, and the number of an option in it: for questions that no hook
// can answer. All that the dialog shows must be of that question, since another may look like it. Seen in 2.1.332. Pure.
import { relative } from 'node:path/posix';
import type { Ask } from '../activity.ts';
import type { PendingCall } from '../claude/transcript.ts';
import { listOf, textOf } from '../fields.ts';
import type { Answer } from './choice.ts';

/** A key that answers a question. */
export interface DialogKey {
  /** Of the option, 1 to 9. */
  readonly number: string;
  /** The end of the screen, which is the dialog. */
  readonly dialog: string;
  /** A pattern for tmux (inside `#{C/r:…}`) of a line that the dialog shows. */
  readonly line: string;
}

/** What a key can answer. */
export interface DialogQuestion {
  readonly ask: Ask;
  readonly call: PendingCall;
  /** The directory to which the agent shows files, in the container. */
  readonly cwd: string;
  readonly answer: Answer;
}

interface Shown {
  /** Lines before the first option, without the rule above them. */
  readonly about: readonly string[];
  readonly options: readonly { readonly number: string; readonly label: string }[];
  readonly text: string;
}

const rule = /^─{20,}$/;
const dashes = /^╌{20,}$/;
const optionLine = /^ *(?:❯ )?([1-9])\. (.*)$/;
const footer = /^ *(?:Esc to cancel|Enter to select)/;
/** A label that fills the line goes on in the next. */
const wrappedLabelMin = 30;

/** `none`: the screen shows no dialog. `other`: another one, or one that cannot be recognised. */
export function dialogKey(screen: string, question: DialogQuestion): DialogKey | 'none' | 'other' {
  const shown = dialogOn(screen);
  if (!shown) return 'none';
  const found =
    question.ask.kind === 'permission'
      ? permissionKey(shown, question)
      : choiceKey(shown, question);
  return found === undefined ? 'other' : { ...found, dialog: shown.text };
}

function dialogOn(screen: string): Shown | undefined {
  const lines = screen
    .replace(/\n+$/, '')
    .split('\n')
    .map((line) => line.trimEnd());
  const isOption = (line: string, wanted: string) => optionLine.exec(line)?.[1] === wanted;
  const first = lines.findLastIndex((line) => isOption(line, '1'));
  const begin = lines.findLastIndex((line, index) => index < first && rule.test(line));
  if (begin < 0 || !lines.slice(first).some((line) => footer.test(line))) return undefined;
  const options = lines.slice(first).flatMap((line) => {
    const [, number, label] = optionLine.exec(line) ?? [];
    return number === undefined || label === undefined ? [] : [{ number, label }];
  });
  // Each number once, in order: else a label has the form of an option.
  if (options.some(({ number }, index) => number !== String(index + 1))) return undefined;
  return {
    about: lines.slice(begin + 1, first),
    options,
    text: lines.slice(begin + 1).join('\n'),
  };
}

type Found = Omit<DialogKey, 'dialog'>;

function permissionKey(
  { about, options }: Shown,
  { call, cwd, answer }: DialogQuestion,
): Found | undefined {
  if (answer.kind !== 'decision' || answer.text !== undefined) return undefined;
  const [heading = '', path = ''] = about;
  const rules = about.flatMap((line, index) => (dashes.test(line) ? [index] : []));
  const [from, to, ...others] = rules;
  if (from === undefined || to === undefined || others.length > 0) return undefined;
  const option =
    answer.option === 'allow'
      ? options.find(({ label }) => label === 'Yes')
      : options.find(({ label }) => label === 'No' || label.startsWith('No, '));
  const { command, file_path: file } = call.input;
  const inside = about.slice(from + 1, to);
  const isShown =
    typeof command === 'string'
      ? heading.startsWith(' Bash command') && isSame(commandText(inside), command)
      : typeof file === 'string' && asksForFile(about.slice(to), file) && isFile(path, file, cwd);
  const line = typeof command === 'string' ? inside[0] : path;
  return isShown && option && line !== undefined
    ? { number: option.number, line: linePattern(line) }
    : undefined;
}

/** Lines of a command that is longer than one have a bar before them. */
function commandText(lines: readonly string[]): string {
  return lines.map((line) => line.replace(/^ (?:│ )?/, '')).join('');
}

function isFile(shown: string, file: string, cwd: string): boolean {
  const path = shown.trim();
  return path !== '' && (path === file || path === relative(cwd, file));
}

function asksForFile(lines: readonly string[], file: string): boolean {
  const name = file.split('/').at(-1) ?? '';
  return lines.some((line) => line.startsWith(' Do you want to ') && line.endsWith(` ${name}?`));
}

function choiceKey(
  { about, options }: Shown,
  { ask, call, answer }: DialogQuestion,
): Found | undefined {
  const { questions } = call.input;
  const [only, ...others] = listOf(questions);
  if (answer.kind !== 'answers' || !only || others.length > 0 || only['multiSelect'] === true)
    return undefined;
  const [given] = answer.answers;
  const [number, ...more] = given?.options ?? [];
  if (given?.text !== undefined || number === undefined || more.length > 0) return undefined;
  const [header = '', ...text] = about;
  const isShown =
    isSame(header.replace(/^ *[☐☒☑✔] */u, ''), textOf(only['header'])) &&
    isSame(text.join(''), textOf(only['question']));
  const option = options.find((one) => one.number === number);
  const label = ask.options.find(({ id }) => id === number)?.label ?? '';
  const line = text.find((one) => one.trim() !== '');
  return isShown && option && line !== undefined && isLabel(option.label, label)
    ? { number, line: linePattern(line) }
    : undefined;
}

function isLabel(shown: string, label: string): boolean {
  if (isSame(shown, label)) return label.trim() !== '';
  return shown.length >= wrappedLabelMin && bare(label).startsWith(bare(shown));
}

/** The terminal wraps lines. */
function isSame(shown: string, text: string): boolean {
  return bare(shown) === bare(text);
}

function bare(text: string): string {
  return text.replace(/\s+/g, '');
}

/** Letters, digits and few more stand for themselves: anything else could have a meaning to tmux. */
function linePattern(line: string): string {
  return line
    .trimEnd()
    .replace(/[^\x20-\x7e]+/g, '\u0000')
    .replace(/[^A-Za-z0-9 _/=:@\u0000-]/g, '.')
    .replaceAll('\u0000', '.*');
}
