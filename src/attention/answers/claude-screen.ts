// What the dialog of a question looks like on the screen of Claude Code, and which option to press there: for questions that
// no hook can answer. Seen in 2.1.332. Pure.
import type { Ask } from '../activity.ts';
import type { PendingCall } from '../claude/transcript.ts';
import { fieldsOf, textOf } from '../fields.ts';
import type { Answer } from './choice.ts';

/** Patterns for tmux (the part inside `#{C/r:…}`), each of one line of the screen. */
export interface ScreenChoice {
  /** Of the option's label, after its number. */
  readonly option: string;
  /** Lines that only this dialog has. */
  readonly lines: readonly string[];
}

/** The narrowest terminal shows so many characters of a line. */
const shownMax = 70;

/** Undefined if the dialog cannot be recognised, or has no such option. */
export function screenChoice(
  ask: Ask,
  { name, input }: PendingCall,
  answer: Answer,
): ScreenChoice | undefined {
  if (answer.kind === 'decision') {
    const about = ask.kind === 'permission' ? permissionLine(name, input) : undefined;
    if (about === undefined || answer.text !== undefined) return undefined;
    return { option: answer.option === 'allow' ? 'Yes *$' : 'No([^A-Za-z]|$)', lines: [about] };
  }
  const { questions } = input;
  const [only, ...others] = Array.isArray(questions) ? questions.map(fieldsOf) : [];
  const [given] = answer.answers;
  if (!only || others.length > 0 || only['multiSelect'] === true) return undefined;
  if (given?.text !== undefined || given?.options.length !== 1) return undefined;
  const label = ask.options.find(({ id }) => id === given.options[0])?.label;
  const question = textOf(only['question']);
  if (label === undefined || question === '') return undefined;
  return { option: linePattern(label), lines: [`^${linePattern(question)}`] };
}

function permissionLine(name: string, input: PendingCall['input']): string | undefined {
  const { command, file_path } = input;
  if (name === 'Bash' && typeof command === 'string') {
    // The same text is on the screen above the dialog too, but not at the begin of a line.
    const line = command.split('\n')[0]?.trimEnd() ?? '';
    return line === '' ? undefined : `^ ${linePattern(line)}`;
  }
  if (typeof file_path === 'string') {
    const base = file_path.split('/').at(-1) ?? '';
    return base === '' || base.length > shownMax / 2
      ? undefined
      : `^ Do you want to .*${safe(base)}[?] *$`;
  }
  return undefined;
}

/** The begin of a line, or all of a short one. */
function linePattern(text: string): string {
  return text.length > shownMax ? safe(text.slice(0, shownMax)) : `${safe(text)} *$`;
}

/** Letters, digits and few more stand for themselves; anything else could have a meaning to tmux or to sh. */
function safe(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, '\u0000')
    .replace(/[^A-Za-z0-9 _/=:@\u0000-]/g, '.')
    .replaceAll('\u0000', '.*');
}
