// coi run: one command in a fresh machine, its output, input and exit status passed on, nothing left behind.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { guestScript } from '../host/resources.ts';
import { guestTerm, handOver, plainEnvironment } from '../session/environment.ts';
import type { GlobalOptions } from './command.ts';
import { flagsOf } from './global.ts';
import { passOn } from './pass-on.ts';
import { launchPlain } from './plain-container.ts';
import {
  agentEnvironment,
  config,
  extraMounts,
  newSessionId,
  place,
  placeIn,
  wantedSlot,
  wish,
} from './prepare.ts';
import { checkBase } from './stale-base.ts';
import { guestHome, noTool } from './tool.ts';

export function register(command: Command, app: App): void {
  command
    .argument('[command...]', 'the command and its arguments (after --)')
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nExamples:\n  coi run -- make test\n  echo hello | coi run -- tr a-z A-Z',
    )
    .action((words: string[]) => run(app, flagsOf<GlobalOptions>(command), words));
}

async function run(app: App, options: GlobalOptions, words: readonly string[]): Promise<void> {
  if (words.length === 0)
    throw new CoiError('usage', 'no command given', { hint: 'For example: coi run -- make test' });
  const at = placeIn(app, place(app, options.workspace), false);
  const resolved = await config(app, options, at.workspace);
  const persistent = resolved.settings['container.persistent'] ?? false;
  const wanted = wish(app, resolved, at, {
    session: newSessionId(),
    tool: noTool,
    slot: wantedSlot(options),
    persistent,
    mounts: extraMounts(app, options, resolved, [at.target]),
    disposable: !persistent,
  });
  const environment = agentEnvironment(app, options, resolved);
  const incus = await app.incus();
  await checkBase(app, resolved);
  const container = await launchPlain(app, wanted);
  let status: number;
  try {
    const request = {
      command: ['sh', '-c', guestScript('run.sh'), 'coi-run', at.target],
      environment: plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
      cwd: '/',
      user: 1000,
      group: 1000,
    };
    const start = () => incus.execPiped(container, request);
    status = await passOn(app, start, handOver(environment, words));
  } finally {
    await end(app, container, persistent);
  }
  if (status !== 0) throw new ExitStatus(status);
}

/** A disposable container is told to stop, and Incus deletes it by itself: the prompt need not wait for that. */
async function end(app: App, container: string, persistent: boolean): Promise<void> {
  const incus = await app.incus();
  const stop = await incus.changeState(
    container,
    persistent ? { action: 'stop', timeout: 60 } : { action: 'stop', force: true, timeout: 30 },
  );
  if (persistent) await stop.wait({ timeoutMs: 90_000 });
}
