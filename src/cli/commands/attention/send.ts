// `coi send`: sends a message to an agent and checks that it has arrived.
import type { Command } from 'commander';
import { sendMessage } from '../../../app/attention/send.ts';
import { namedSession } from '../../../app/targets/named-session.ts';
import { cleanText } from '../../../attention/clean.ts';
import { checkedMessage } from '../../../attention/message.ts';
import { CoiError } from '../../../errors.ts';
import { aliasOf } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { parseTimeLimit } from '../session/time-limit.ts';
import { messageText } from './message-text.ts';

interface Options extends GlobalOptions {
  file?: string;
  wait?: boolean;
  interrupt?: boolean;
  timeout?: string;
  json?: boolean;
}

const replyMax = 2 ** 20;

export function register(command: Command, app: App): void {
  command
    .argument('<session>', 'name or alias')
    .argument('[text]', 'the message; - reads it from stdin')
    .option('--file <path>', 'read the message from a file')
    .option('--wait', 'wait until the agent has answered, and print its answer')
    .option('--interrupt', 'end what the agent does first; if it worked, its input box is emptied')
    .option('--timeout <duration>', 'give up after this time with exit status 124, for example 30m')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
The message is sent when the agent works or is idle; a working agent reads it when it can. It is not sent while the agent
asks a question (exit status 3). Exit status 4: it was typed, but it is unknown whether the agent has received it.
Secrets belong in a file or on stdin: other users can see the arguments of a command.`,
    )
    .action((word: string, text: string | undefined) =>
      send(app, mergedOptions<Options>(command), word, text),
    );
}

async function send(
  app: App,
  options: Options,
  word: string,
  text: string | undefined,
): Promise<void> {
  const limit = parseTimeLimit(options.timeout);
  const { text: message, removed } = checkedMessage(await messageText(app, options, text));
  if (removed > 0)
    app.report.warn(`${removed} control or invisible characters were left out of the message.`);
  const container = await namedSession(app, sessionTarget(options), word);
  const { wait = false, interrupt = false, json = false } = options;
  const sent = await sendMessage(app, { container, text: message, wait, interrupt, limit });
  const { name } = container;
  const called = aliasOf(container) ?? name;
  if (sent.hasMore)
    app.report.warn(
      `The input box of ${called} was not empty: its text was sent with the message.`,
    );
  const reply = cleanText(sent.reply ?? '', replyMax).text;
  if (json)
    app.io.printJson({
      container: name,
      alias: aliasOf(container) ?? '',
      state: sent.state,
      cursor: sent.cursor,
      ...(wait && { end: sent.end ?? '', reply }),
    });
  else if (!wait) app.io.print(sentLine(called, sent.state));
  else if (reply !== '') app.io.print(reply);
  if (sent.end === 'failed' || sent.end === 'interrupted') throw turnError(called, sent.end);
}

function sentLine(called: string, state: 'delivered' | 'queued'): string {
  return state === 'delivered'
    ? `Sent to ${called}`
    : `Queued for ${called}: the agent reads it when it can`;
}

function turnError(called: string, end: 'failed' | 'interrupted'): CoiError {
  return end === 'failed'
    ? new CoiError('failed', `the turn of the agent in ${called} failed`, {
        hint: `Run \`coi tmux capture ${called}\` to see why.`,
      })
    : new CoiError('failed', `the turn of the agent in ${called} was interrupted`);
}
