// Shows questions of an agent on the terminal and reads the answers.
import { notAnswerable } from '../../../app/attention/session-errors.ts';
import type { Ask } from '../../../attention/activity.ts';
import { answerOf, type Choice, callOf, isOption } from '../../../attention/answers/choice.ts';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';
import { answerCommand, askLines } from '../../ui/views/asks.ts';

/** All questions, with the commands that answer them. */
export function printAsks(app: App, called: string, asks: readonly Ask[]): void {
  for (const id of new Set(asks.map((ask) => callOf(ask.id)))) {
    const ofCall = asks.filter((ask) => callOf(ask.id) === id);
    for (const ask of ofCall) app.io.print(askLines(ask).join('\n'));
    app.io.print(`Answer: ${answerCommand(called, ofCall)}\n`);
  }
}

/** Throws `cancelled` if the user does not confirm it. */
export async function confirmAnswer(app: App, asks: readonly Ask[]): Promise<void> {
  for (const ask of asks) app.io.print(askLines(ask).join('\n'));
  if (await app.io.confirm('Give this answer?')) return;
  throw notAnswered();
}

/** One choice for each question. Throws `cancelled` if the user gives none. */
export async function askForAnswer(app: App, name: string, asks: readonly Ask[]): Promise<Choice> {
  if (asks.some(({ kind }) => kind === 'dialog')) throw notAnswerable(name);
  const words: string[] = [];
  for (const ask of asks) {
    app.io.print(askLines(ask).join('\n'));
    const line = (await app.io.ask('Answer')) ?? '';
    if (line === '') throw notAnswered();
    if (asks.length === 1 && ask.kind === 'question' && !isOption(ask, line))
      return { words: [], text: line };
    answerOf([ask], { words: [line] });
    words.push(line);
  }
  return { words };
}

function notAnswered(): CoiError {
  return new CoiError('cancelled', 'there was no answer; the question is still open');
}
