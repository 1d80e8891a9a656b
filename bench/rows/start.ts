// Rows for starting sessions.
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Screen } from '../../test/bed/screen.ts';
import type { Row } from '../measure.ts';
import type { Stage } from '../stage.ts';
import { background, closeScreens, firstScreen, shellArgs, timed } from './actions.ts';

const removalLimitMs = 5_000;

export const shell: Row<Stage> = {
  id: 'shell',
  title: 'coi shell, new ephemeral session, to the first screen',
  budgets: [{ ratio: 1.3, over: 'floor' }],
  subjects: {
    coi: async (stage) => {
      const { ms, screen } = await firstScreen(() => stage.bed.screen(shellArgs(stage)));
      await closeScreens(stage, [screen]);
      return ms;
    },
    floor: (stage) => floorShell(stage),
    incus: async (stage) => {
      const { name, tool } = await stage.task();
      const script =
        'incus launch "$1" "$2" && shift && name=$1 && shift && exec incus exec -t "$name" -- tmux -u new-session -s bench "$@"';
      const argv = ['sh', '-c', script, 'bench', stage.image, name, ...tool];
      const { ms, screen } = await firstScreen(() => stage.bed.command(argv));
      await closeScreens(stage, [screen]);
      return ms;
    },
  },
};

/** For this measurement, a listening socket is enough of an SSH agent. */
export const agent: Row<Stage> = {
  id: 'agent',
  title: 'coi shell with forward_agent, to the first screen',
  budgets: [{ ratio: 1.35, over: 'floor' }],
  prepare: async ({ bed }) => {
    const { config, socket } = agentPaths(bed);
    await writeFile(config, '[ssh]\nforward_agent = true\n');
    const server = createServer().listen(socket).unref();
    await once(server, 'listening');
    await chmod(socket, 0o777);
  },
  subjects: {
    coi: async (stage) => {
      const { config, socket } = agentPaths(stage.bed);
      const env = { COI_CONFIG: config, SSH_AUTH_SOCK: socket };
      const { ms, screen } = await firstScreen(() => stage.bed.screen(shellArgs(stage), { env }));
      await closeScreens(stage, [screen]);
      return ms;
    },
    floor: (stage) => floorShell(stage),
  },
};

function agentPaths(bed: Stage['bed']): { config: string; socket: string } {
  return { config: `${bed.user.home}/agent.toml`, socket: `${bed.user.home}/agent.sock` };
}

async function floorShell(stage: Stage): Promise<number> {
  const task = await stage.task();
  const { ms, screen } = await firstScreen(() => stage.floorScreen('shell', task));
  await closeScreens(stage, [screen]);
  return ms;
}

export const inBackground: Row<Stage> = {
  id: 'background',
  title: 'coi shell --background, until it returns',
  budgets: [{ ratio: 1.3, over: 'floor' }],
  subjects: {
    coi: async (stage) => {
      const ms = await timed(() => background(stage));
      await stage.clear();
      return ms;
    },
    floor: async (stage) => {
      const task = await stage.task();
      const ms = await timed(() => stage.floor('background', task));
      await stage.clear();
      return ms;
    },
  },
};

export const run: Row<Stage> = {
  id: 'run',
  title: 'coi run -- true, until the prompt is back',
  budgets: [
    { ratio: 1.3, over: 'floor' },
    { ratio: 0.65, over: 'incus' },
  ],
  subjects: {
    coi: async (stage) => {
      const startedMs = performance.now();
      const running = stage.bed.startCoi(['run', '--image', stage.image, '--', 'true']);
      const result = await running.result;
      const ms = performance.now() - startedMs;
      if (result.status !== 0)
        throw new Error(`coi run: status ${result.status}: ${result.stderr}`);
      // The container is removed soon after: checked, not measured.
      await Promise.all(
        (await stage.bed.instances()).map((name) => stage.gone(name, startedMs, removalLimitMs)),
      );
      return ms;
    },
    floor: async (stage) => {
      const task = await stage.task();
      const startedMs = performance.now();
      const ms = await timed(() => stage.floor('run', task));
      await stage.gone(task.name, startedMs);
      return ms;
    },
    incus: async (stage) => {
      const { name } = await stage.task();
      const script = 'incus launch "$1" "$2" && incus exec "$2" -- true && incus delete -f "$2"';
      return timed(() => stage.runOther(['sh', '-c', script, 'bench', stage.image, name]));
    },
  },
};

export const five: Row<Stage> = {
  id: 'five',
  title: 'five sessions started at once, to the last first screen',
  budgets: [{ ratio: 1.2, over: 'floor' }],
  subjects: {
    coi: (stage) => atOnce(stage, async () => () => stage.bed.screen(shellArgs(stage))),
    floor: (stage) =>
      atOnce(stage, async (index) => {
        const task = await stage.task(index);
        return () => stage.floorScreen('shell', task);
      }),
  },
};

async function atOnce(
  stage: Stage,
  ready: (index: number) => Promise<() => Screen>,
): Promise<number> {
  const starts = await Promise.all([0, 1, 2, 3, 4].map(ready));
  const tries = await Promise.allSettled(starts.map(firstScreen));
  const shown = tries.filter((one) => one.status === 'fulfilled').map((one) => one.value);
  await closeScreens(
    stage,
    shown.map(({ screen }) => screen),
  );
  const failed = tries.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return Math.max(...shown.map(({ ms }) => ms));
}
