// `coi run`: runs a command in a new container, passes on its streams and exit status, and leaves nothing behind.
import type { Command } from 'commander';
import { Option } from 'commander';
import { selectSession } from '../../../app/open-session/select-session.ts';
import { type PromptSource, runPrompt } from '../../../app/run-command/prompt.ts';
import { ownScriptName, runCommand } from '../../../app/run-command/run-command.ts';
import type { TimeLimit } from '../../../app/run-command/time-limit.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { oneLine } from '../../../printable.ts';
import type { App } from '../../app.ts';
import { mergedOptions } from '../../global-options.ts';
import { reportWarnings } from '../../output/config-warnings.ts';
import { reportHandoffBriefly } from '../../output/handoff-summary.ts';
import { openSessionRequest, startRequest } from '../../requests.ts';
import { parsePrompt, type RunOptions } from './run-options.ts';
import { execute } from './run-output.ts';
import { parseTimeLimit } from './time-limit.ts';

export function register(command: Command, app: App): void {
  command
    .argument('[command...]', `the command and its arguments (default: ./${ownScriptName})`)
    .option('--prompt <text>', 'give the agent one prompt and print its answer')
    .option('--prompt-file <path>', 'like --prompt, with the text of a file')
    .option('--prompt-name <name>', 'like --prompt, with a prompt from [prompts]')
    .option('--tool <name>', 'agent for the prompt')
    .option(
      '--timeout <duration>',
      'end the command after this time, for example 90 (seconds) or 10m',
    )
    .option('--json', 'print output and exit status as JSON after the command has exited')
    .addOption(new Option('--format <format>').choices(['pretty', 'json']).hideHelp())
    .addOption(new Option('--capture', 'no effect, kept for compatibility').hideHelp())
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nExamples:\n  coi run -- make test\n  echo hello | coi run -- tr a-z A-Z\n  coi run --prompt "Explain the failing test"\n\nThe exit status is that of the command; 124 after --timeout, 125 if coi itself failed, 126 or 127 if the\ncommand cannot be run, 2 for a usage error.',
    )
    .action((words: string[]) => run(app, mergedOptions<RunOptions>(command), words));
}

async function run(app: App, options: RunOptions, words: readonly string[]): Promise<void> {
  const limit = parseTimeLimit(options.timeout);
  const prompt = parsePrompt(options);
  if (prompt && words.length > 0)
    throw new CoiError('usage', 'a prompt and a command cannot be combined', {
      hint: 'Omit one of them.',
    });
  if (prompt) return exitWith(await answerPrompt(app, options, prompt, limit));
  const request = { ...startRequest(app, options), command: words, limit };
  await runCommand(app, request, {
    loaded: (resolved) => reportWarnings(app, resolved),
    run: async (container, command) => {
      app.io.detail(`Executing: ${command.words.map(oneLine).join(' ')}`);
      const status = await execute(app, options, container, command);
      if (status === 0) app.io.detail('Command completed successfully');
      else app.io.info(`Command exited with code ${status}`);
      app.mark('command ended');
      exitWith(status);
    },
    ended: (workspace, since) => reportHandoffBriefly(app, workspace, since),
  });
}

async function answerPrompt(
  app: App,
  options: RunOptions,
  prompt: PromptSource,
  limit: TimeLimit | undefined,
): Promise<number> {
  const request = openSessionRequest(app, options, 'headless');
  const selected = await selectSession(app, request);
  reportWarnings(app, selected.resolved);
  return runPrompt(app, { ...request, prompt, limit }, selected, (container, command) =>
    execute(app, options, container, command, false),
  );
}

function exitWith(status: number): void {
  if (status !== 0) throw new ExitStatus(status);
}
