// coi kill: ends sessions at once. What the agent wrote is in the store.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Command } from 'commander';
import { freeing } from '../../../app/end-sessions/free-stuck.ts';
import { killContainer } from '../../../session/lifecycle/end-container.ts';
import { refOf } from '../../../session/record/container-ref.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { endAll } from './end-outcome.ts';
import { containersToEnd } from './end-sessions.ts';
import type { EndOptions } from './end-words.ts';

const words = {
  verb: 'kill',
  title: 'Kill',
  done: 'Killed',
  past: 'killed',
  doing: 'Killing',
  ends: true,
  brief: (name: string) => `Killed ${name}`,
} as const;

export function register(command: Command, app: App): void {
  command
    .argument('[name...]', 'containers, by name or alias')
    .option('-a, --all', 'all sessions')
    .option('-f, --force', 'do not ask')
    .option('--json', 'print what was ended as JSON')
    .addHelpText('after', '\nThe conversation is kept: `coi shell --resume` goes on with it.')
    .action((names: string[]) => kill(app, flagsOf<GlobalOptions & EndOptions>(command), names));
}

async function kill(
  app: App,
  options: GlobalOptions & EndOptions,
  names: readonly string[],
): Promise<void> {
  const chosen = await containersToEnd(app, options, names, words);
  if (!chosen) return;
  const incus = await app.incus();
  const story = options.json ? app.io.tell : app.io.print;
  const detail = options.json || !app.io.briefAnswer ? story : () => {};
  // What the end is told with is loaded while Incus works.
  const loading = nextTurn().then(() =>
    Promise.all([
      import('../../../app/end-sessions/note-end.ts'),
      import('../../output/handoff-summary.ts'),
    ]),
  );
  await endAll(app, options, chosen, words, async (container) => {
    detail(`Killing container ${container.name}...`);
    await killContainer(incus, refOf(container.instance), app.signal, freeing(app));
    const [{ deleted }] = await loading;
    deleted(app, container, story);
  });
  const ended = chosen.flatMap(({ session, instance }) =>
    session ? [{ workspace: session.workspace, at: instance.created_at }] : [],
  );
  const [, { tellHandoffShortly }] = await loading;
  for (const [workspace, sessions] of Map.groupBy(ended, (one) => one.workspace)) {
    const since = new Date(Math.min(...sessions.map(({ at }) => Date.parse(at))));
    await tellHandoffShortly(app, workspace, since);
  }
}
