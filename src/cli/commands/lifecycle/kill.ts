// `coi kill`: ends sessions immediately. The conversation is already in the session store.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Command } from 'commander';
import { freeWithCoid } from '../../../app/end-sessions/free-stuck.ts';
import { killContainer } from '../../../session/lifecycle/end-container.ts';
import { refOf } from '../../../session/record/container-ref.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { selectContainersToEnd } from './containers-to-end.ts';
import { endAll } from './end-all.ts';
import type { EndOptions } from './end-wording.ts';

const wording = {
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
    .argument('[name...]', 'container names or aliases')
    .option('-a, --all', 'all sessions')
    .option('-f, --force', 'skip the confirmation prompt')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nThe conversation is saved: `coi shell --resume` continues it.')
    .action((names: string[]) =>
      kill(app, mergedOptions<GlobalOptions & EndOptions>(command), names),
    );
}

async function kill(
  app: App,
  options: GlobalOptions & EndOptions,
  names: readonly string[],
): Promise<void> {
  const chosen = await selectContainersToEnd(app, options, names, wording);
  if (!chosen) return;
  const incus = await app.incus();
  const report = options.json ? app.io.info : app.io.print;
  const detail = options.json || !app.io.briefStdout ? report : () => {};
  // Loaded while Incus works.
  const loading = nextTurn().then(() =>
    Promise.all([
      import('../../../app/end-sessions/note-end.ts'),
      import('../../output/handoff-summary.ts'),
    ]),
  );
  await endAll(app, options, chosen, wording, async (container) => {
    detail(`Killing container ${container.name}...`);
    await killContainer(incus, refOf(container.instance), app.signal, freeWithCoid(app));
    const [{ noteDeleted }] = await loading;
    noteDeleted(app, container, report);
  });
  const ended = chosen.flatMap(({ session, instance }) =>
    session ? [{ workspace: session.workspace, at: instance.created_at }] : [],
  );
  const [, { reportHandoffBriefly }] = await loading;
  for (const [workspace, sessions] of Map.groupBy(ended, (one) => one.workspace)) {
    const since = new Date(Math.min(...sessions.map(({ at }) => Date.parse(at))));
    await reportHandoffBriefly(app, workspace, since);
  }
}
