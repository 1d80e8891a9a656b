// coi run: one command in a fresh machine, its output, input and exit status passed on, nothing left behind.

import { basename, dirname } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { App } from '../app.ts';
import { parseDurationMs } from '../config/values.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { quoted } from '../names.ts';
import { handOver } from '../session/environment.ts';
import { incusFailure } from '../session/failure.ts';
import { withPrelude } from '../session/prelude.ts';
import { noTool } from '../session/record.ts';
import { guardsGit, toolLines, toolVariables } from '../session/tool-setup.ts';
import { oneLine } from '../ui/printable.ts';
import { stepTiming } from '../ui/timing.ts';
import { agentVariables, followAgent } from './agent.ts';
import { registerAlias } from './alias.ts';
import { withMountsOfBefore } from './asked-before.ts';
import type { GlobalOptions } from './command.ts';
import { endOfRun } from './end-of-run.ts';
import { extrasOf } from './extras.ts';
import { agentAndGit } from './git-inside.ts';
import { flagsOf } from './global.ts';
import { tellHandoffShortly } from './handoff-report.ts';
import { placeIn, takenBy } from './place-in.ts';
import { launchPlain } from './plain-container.ts';
import {
  config,
  extraMounts,
  following,
  newSessionId,
  place,
  wantedSlot,
  wish,
} from './prepare.ts';
import { keptPlain, restartPlain } from './run-again.ts';
import { type OutcomeOptions, outcome, starting } from './run-outcome.ts';
import { hasPrompt, type PromptOptions, runPrompt } from './run-prompt.ts';
import { checkBase } from './stale-base.ts';
import { tellWarnings } from './tell-warnings.ts';
import { agentEnvironment } from './variables.ts';

type RunOptions = GlobalOptions & PromptOptions & OutcomeOptions;

/** What is run when no command is given. */
const script = 'coi-run';

export function register(command: Command, app: App): void {
  command
    .argument('[command...]', `the command and its arguments (default: ./${script})`)
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
  const limitMs = timeoutMs(options.timeout);
  if (hasPrompt(options)) {
    if (words.length > 0)
      throw new CoiError('usage', 'a prompt and a command exclude each other', {
        hint: 'Leave one of them out.',
      });
    return finished(await runPrompt(app, options, limitMs));
  }
  const workspace = place(app, options.workspace);
  const command = words.length > 0 ? words : [ownScript(workspace.workspace)];
  const resolved = await config(app, options, workspace.workspace);
  tellWarnings(app, resolved);
  const at = placeIn(app, workspace, resolved.settings);
  const persistent = resolved.settings['container.persistent'] ?? false;
  const kept = persistent ? await keptPlain(app, at, wantedSlot(options)) : undefined;
  const wanted = wish(app, resolved, at, {
    session: newSessionId(),
    tool: noTool,
    slot: wantedSlot(options),
    persistent,
    mounts: extraMounts(
      app,
      kept ? withMountsOfBefore(app, options, kept.session) : options,
      resolved,
      {
        workspace: at.workspace,
        taken: takenBy(at),
      },
    ),
    disposable: !persistent,
    following: await following(app, resolved, at.workspace),
  });
  await registerAlias(app, { at, resolved });
  const since = app.clock.now();
  const environment = agentEnvironment(app, options, resolved, at.workspace);
  await checkBase(app, resolved);
  const extras = extrasOf(app, resolved);
  const { forwarding, git } = await agentAndGit(app, resolved, at.workspace);
  const tools = { guarded: guardsGit(wanted.protect), git: git.signing.config };
  const timing = stepTiming(app.env, app.io.stderr, app.clock.elapsedMs);
  timing.mark('decided');
  const again = kept && (await restartPlain(app, kept, wanted, timing));
  const ref = again?.ref ?? (await launchPlain(app, wanted, extras, timing));
  const container = ref.name;
  app.io.detail(`Executing: ${command.map(oneLine).join(' ')}`);
  try {
    const start = await starting(app, container, at.target);
    // The command may use it at once, and nobody is there to wait for it.
    const problem =
      forwarding.kind === 'forward' && (await followAgent(app, ref, forwarding, { tmux: false }));
    if (problem) app.io.warn(problem);
    const handed = handOver(
      {
        ...environment,
        ...(again?.environment ?? extras.environment()),
        ...toolVariables(environment, tools),
        ...agentVariables(forwarding),
      },
      withPrelude(command, {
        identity: git.identity,
        setup: toolLines(tools),
        preLaunch: [],
      }),
    );
    const status = await outcome(app, options, container, start, handed, limitMs);
    const how =
      status === 0 ? 'Command completed successfully' : `Command exited with code ${status}`;
    if (status === 0) app.io.detail(how);
    else app.io.tell(how);
    timing.mark('command ended');
    finished(status);
  } catch (error) {
    throw incusFailure(error, `running the command in ${container} failed`);
  } finally {
    await endOfRun(app, ref, persistent ? 'persistent' : 'disposable');
    timing.mark('ended');
    timing.report();
    await tellHandoffShortly(app, at.workspace, since);
  }
}

function finished(status: number): void {
  if (status !== 0) throw new ExitStatus(status);
}

/** The workspace's own script, which may not lead out of it. Throws `usage`. */
function ownScript(workspace: string): string {
  const path = `${workspace}/${script}`;
  if (!hostFiles.exists(path))
    throw new CoiError('usage', `no command given, and there is no ./${script} in the workspace`, {
      hint: 'For example: coi run -- make test',
    });
  const [real, top] = [hostFiles.realPath(path), hostFiles.realPath(workspace)];
  if (real === undefined || !real.startsWith(`${top}/`))
    throw new CoiError('failed', `./${script} leads out of the workspace`);
  using directory = hostFiles.open(dirname(real));
  const found = directory?.entry(basename(real));
  if (found?.kind !== 'file' || (found.stat.mode & 0o111) === 0)
    throw new CoiError('failed', `./${script} cannot be executed`, {
      hint: found?.kind === 'file' ? `chmod +x ${script}` : 'It is no file.',
      exit: 126,
    });
  return `./${script}`;
}

/** A number means seconds. Throws `usage`. */
function timeoutMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : parseDurationMs(text);
  if (ms !== undefined && ms > 0 && ms < 2 ** 31) return ms;
  throw new CoiError('usage', `invalid --timeout ${quoted(text)}`, {
    hint: 'Seconds, or a duration such as 10m.',
  });
}
