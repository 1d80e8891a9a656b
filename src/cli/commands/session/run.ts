// coi run: one command in a fresh machine, its output, input and exit status passed on, nothing left behind.
import type { Command } from 'commander';
import { Option } from 'commander';
import { selectSession } from '../../../app/open-session/select-session.ts';
import type { TimeLimit } from '../../../app/run-command/outcome.ts';
import { type PromptSource, runPrompt } from '../../../app/run-command/prompt.ts';
import { ownScriptName, runCommand } from '../../../app/run-command/run-command.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { oneLine } from '../../../printable.ts';
import type { App } from '../../app.ts';
import { flagsOf } from '../../global-options.ts';
import { tellWarnings } from '../../output/config-warnings.ts';
import { tellHandoffShortly } from '../../output/handoff-summary.ts';
import { openSessionRequest, startRequest } from '../../requests.ts';
import { promptSource, type RunOptions, timeLimit } from './run-options.ts';
import { executed } from './run-output.ts';

export function register(command: Command, app: App): void {
  command
    .argument('[command...]', `the command and its arguments (default: ./${ownScriptName})`)
    .option('--prompt <text>', 'give the agent one prompt and print its answer')
    .option('--prompt-file <path>', 'the same with the text of a file')
    .option('--prompt-name <name>', 'the same with a text of [prompts]')
    .option('--tool <name>', 'the agent for a prompt')
    .option('--timeout <duration>', 'end it after that time, for example 90 (seconds) or 10m')
    .option('--json', 'print output and exit status as JSON when it has ended')
    .addOption(new Option('--format <format>').choices(['pretty', 'json']).hideHelp())
    .addOption(new Option('--capture', 'as it always is').hideHelp())
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nExamples:\n  coi run -- make test\n  echo hello | coi run -- tr a-z A-Z\n  coi run --prompt "Explain the failing test"\n\nThe exit status is that of the command; 124 after --timeout, 125 where coi itself failed, 126 or 127 where the\ncommand cannot be run, 2 for a wrong command line.',
    )
    .action((words: string[]) => run(app, flagsOf<RunOptions>(command), words));
}

async function run(app: App, options: RunOptions, words: readonly string[]): Promise<void> {
  const limit = timeLimit(options.timeout);
  const prompt = promptSource(options);
  if (prompt && words.length > 0)
    throw new CoiError('usage', 'a prompt and a command exclude each other', {
      hint: 'Leave one of them out.',
    });
  if (prompt) return finished(await answered(app, options, prompt, limit));
  const request = { ...startRequest(app, options), command: words, limit };
  await runCommand(app, request, {
    loaded: (resolved) => tellWarnings(app, resolved),
    run: async (container, command) => {
      app.io.detail(`Executing: ${command.words.map(oneLine).join(' ')}`);
      const status = await executed(app, options, container, command);
      if (status === 0) app.io.detail('Command completed successfully');
      else app.io.tell(`Command exited with code ${status}`);
      app.mark('command ended');
      finished(status);
    },
    ended: (workspace, since) => tellHandoffShortly(app, workspace, since),
  });
}

async function answered(
  app: App,
  options: RunOptions,
  prompt: PromptSource,
  limit: TimeLimit | undefined,
): Promise<number> {
  const request = openSessionRequest(app, options, 'headless');
  const selected = await selectSession(app, request);
  tellWarnings(app, selected.resolved);
  return runPrompt(app, { ...request, prompt, limit }, selected, (container, command) =>
    executed(app, options, container, command, false),
  );
}

function finished(status: number): void {
  if (status !== 0) throw new ExitStatus(status);
}
