// `coi answer`: answers a question of an agent.
import type { Command } from 'commander';
import { answerAsk, openAsks } from '../../../app/attention/answer.ts';
import { namedSession } from '../../../app/targets/named-session.ts';
import type { Ask } from '../../../attention/activity.ts';
import { askJson } from '../../../attention/activity-text.ts';
import { answerOf, asksToAnswer, type Choice } from '../../../attention/answers/choice.ts';
import { checkedMessage } from '../../../attention/message.ts';
import { CoiError } from '../../../errors.ts';
import { aliasOf, type Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { askForAnswer, confirmAnswer, printAsks } from './answer-dialog.ts';
import { messageText } from './message-text.ts';

interface Options extends GlobalOptions {
  ask?: string;
  text?: string;
  file?: string;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('<session>', 'name or alias')
    .argument('[choice...]', 'an option by number or label, or yes or no (default: ask)')
    .option('--ask <id>', 'the question; without a terminal it is required')
    .option('--text <text>', 'a text of your own, or the reason of a no; - reads it from stdin')
    .option('--file <path>', 'read the text from a file')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Without a choice it shows what the agent asks; on a terminal it then reads your answer. Several questions of one call take
one choice each, and a question with several options takes them with commas: 1,3. An answer never reaches another question:
if the one with this id is no longer open, nothing is answered. Exit status 4: it is unknown whether the agent took it.
Secrets belong in a file or on stdin: other users can see the arguments of a command.`,
    )
    .action((word: string, words: string[]) =>
      answer(app, mergedOptions<Options>(command), word, words),
    );
}

async function answer(
  app: App,
  options: Options,
  word: string,
  words: readonly string[],
): Promise<void> {
  const { ask: id, json = false } = options;
  const text = await ownText(app, options);
  const container = await namedSession(app, sessionTarget(options), word);
  const isGiven = words.length > 0 || text !== undefined;
  const isInteractive = app.io.interactive && !json;
  const all = openAsks(app, container);
  if (!isGiven && !isInteractive) return show(app, container, all, json);
  if (isGiven && id === undefined && !isInteractive)
    throw new CoiError('usage', 'name the question that you answer with --ask', {
      hint: `Run \`coi answer ${word}\` to see the questions and their ids.`,
    });
  // On a terminal the user sees the question that is answered.
  const asks = asksToAnswer(container.name, all, isGiven ? id : (id ?? all[0]?.id));
  const given: Choice = { words, text };
  if (isGiven) answerOf(asks, given);
  if (isGiven && id === undefined) await confirmAnswer(app, asks);
  const choice = isGiven ? given : await askForAnswer(app, container.name, asks);
  const request = { container, ask: asks[0]?.id, choice };
  const answered = await answerAsk(app, request);
  if (json) printJson(app, container, answered, 'answered');
  else app.io.print(`Answered ${aliasOf(container) ?? container.name}`);
}

function show(app: App, container: Container, asks: readonly Ask[], json: boolean): void {
  if (json) printJson(app, container, asks, 'asks');
  else printAsks(app, aliasOf(container) ?? container.name, asks);
}

function printJson(
  app: App,
  container: Container,
  asks: readonly Ask[],
  state: 'answered' | 'asks',
): void {
  const { name } = container;
  app.io.printJson({
    container: name,
    alias: aliasOf(container) ?? '',
    state,
    asks: asks.map(askJson),
  });
}

async function ownText(app: App, { text, file }: Options): Promise<string | undefined> {
  if (text === undefined && file === undefined) return undefined;
  const given = await messageText(app, file === undefined ? {} : { file }, text);
  return checkedMessage(given).text;
}
