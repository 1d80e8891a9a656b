// The table of design section 9: what is measured, what bare Incus calls and the `incus` command need for it, and the budgets.
import type { Screen } from '../test/bed/screen.ts';
import type { Row } from './measure.ts';
import type { Stage } from './stage.ts';

const screenLimitMs = 30_000;
const removalLimitMs = 5_000;

/** What a person at the terminal waits for: the tool's prompt. */
async function firstScreen(start: () => Screen): Promise<{ ms: number; screen: Screen }> {
  const startedMs = performance.now();
  const screen = start();
  try {
    await screen.waitFor('You:', screenLimitMs);
  } catch (error) {
    await screen.close();
    throw error;
  }
  return { ms: performance.now() - startedMs, screen };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Runs coi to its end; a status other than 0 is no measurement. */
async function coi(stage: Stage, ...args: string[]): Promise<void> {
  const said = await stage.bed.coi(args);
  if (said.status !== 0)
    throw new Error(`coi ${args.join(' ')}: status ${said.status}: ${said.stderr}`);
}

const shellArgs = (stage: Stage) => ['shell', '--image', stage.image];
const background = (stage: Stage) => coi(stage, ...shellArgs(stage), '--background');

async function backgroundSessions(stage: Stage, count: number): Promise<string[]> {
  for (let made = 0; made < count; made += 1) await background(stage);
  return stage.bed.instances();
}

async function closed(stage: Stage, screens: readonly Screen[]): Promise<void> {
  await Promise.all(screens.map((screen) => screen.close()));
  await stage.clear();
}

const shell: Row<Stage> = {
  id: 'shell',
  title: 'coi shell, new ephemeral session, to the first screen',
  budgets: [{ ratio: 1.3, over: 'floor' }],
  subjects: {
    coi: async (stage) => {
      const { ms, screen } = await firstScreen(() => stage.bed.screen(shellArgs(stage)));
      await closed(stage, [screen]);
      return ms;
    },
    floor: async (stage) => {
      const task = await stage.task();
      const { ms, screen } = await firstScreen(() => stage.floorScreen('shell', task));
      await closed(stage, [screen]);
      return ms;
    },
    incus: async (stage) => {
      const { name, tool } = await stage.task();
      const script =
        'incus launch "$1" "$2" && shift && name=$1 && shift && exec incus exec -t "$name" -- tmux -u new-session -s bench "$@"';
      const argv = ['sh', '-c', script, 'bench', stage.image, name, ...tool];
      const { ms, screen } = await firstScreen(() => stage.bed.command(argv));
      await closed(stage, [screen]);
      return ms;
    },
  },
};

const inBackground: Row<Stage> = {
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

const run: Row<Stage> = {
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
      const said = await running.result;
      const ms = performance.now() - startedMs;
      if (said.status !== 0) throw new Error(`coi run: status ${said.status}: ${said.stderr}`);
      // The container is gone soon after, by itself: checked, not measured.
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
      return timed(() => stage.other(['sh', '-c', script, 'bench', stage.image, name]));
    },
  },
};

/** Row `attach` has one running session for all its samples. */
const attach: Row<Stage> = {
  id: 'attach',
  title: 'coi attach to a running session, first screen',
  budgets: [{ ratio: 1.5, over: 'incus' }],
  prepare: async (stage) => {
    const { screen } = await firstScreen(() => stage.bed.screen(shellArgs(stage)));
    await screen.close();
  },
  subjects: {
    coi: (stage) => detached(stage, () => stage.bed.screen(['attach'])),
    floor: (stage) =>
      detached(stage, (name) => stage.floorScreen('attach', undefined, name, `coi-${name}`)),
    incus: (stage) =>
      detached(stage, (name) => {
        const inside = ['tmux', '-u', 'attach', '-t', `coi-${name}`];
        return stage.bed.command([
          'incus',
          'exec',
          '-t',
          '--user',
          '1000',
          '--env',
          'TERM=xterm-256color',
          name,
          '--',
          ...inside,
        ]);
      }),
  },
};

async function detached(stage: Stage, start: (name: string) => Screen): Promise<number> {
  const [name = ''] = await stage.bed.instances();
  const { ms, screen } = await firstScreen(() => start(name));
  screen.key('ctrl-b d');
  await screen.ended();
  return ms;
}

const kill: Row<Stage> = {
  id: 'kill',
  title: 'coi kill of one, until it is gone',
  budgets: [{ ratio: 1.15, over: 'incus' }],
  subjects: killSubjects(1, (stage, names) => coi(stage, 'kill', '--force', ...names)),
};

const killFive: Row<Stage> = {
  id: 'kill-five',
  title: 'coi kill --all of five, until all are gone',
  budgets: [{ ratio: 2, over: { row: 'kill' } }],
  subjects: killSubjects(5, (stage) => coi(stage, 'kill', '--all', '--force')),
};

type Kill = (stage: Stage, names: readonly string[]) => Promise<unknown>;

/** The others kill containers that are no sessions: of a session that stops, coid takes care at the same time. */
function killSubjects(count: number, ofCoi: Kill): Row<Stage>['subjects'] {
  const ofFloor: Kill = (stage, names) => stage.floor('kill', undefined, ...names);
  const ofIncus: Kill = (stage, names) => stage.other(['incus', 'delete', '-f', ...names]);
  return {
    coi: async (stage) => killed(stage, await backgroundSessions(stage, count), ofCoi),
    floor: async (stage) => killed(stage, await floorContainers(stage, count), ofFloor),
    incus: async (stage) => killed(stage, await floorContainers(stage, count), ofIncus),
  };
}

async function floorContainers(stage: Stage, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const task = await stage.task(index);
    await stage.floor('background', task);
    names.push(task.name);
  }
  return names;
}

/** Until the command is back and Incus has reported every one deleted. */
async function killed(stage: Stage, names: readonly string[], work: Kill): Promise<number> {
  const startedMs = performance.now();
  const gone = names.map((name) => stage.gone(name, startedMs));
  const ended = work(stage, names).then(() => performance.now());
  const moments = await Promise.all([ended, ...gone]);
  return Math.max(...moments) - startedMs;
}

const list: Row<Stage> = {
  id: 'list',
  title: 'coi list with 10 sessions',
  budgets: [{ ratio: 1, over: 'incus' }],
  prepare: async (stage) => void (await backgroundSessions(stage, 10)),
  subjects: {
    coi: (stage) => timed(() => coi(stage, 'list')),
    floor: (stage) => timed(() => stage.floor('list', undefined)),
    incus: (stage) => timed(() => stage.other(['incus', 'list'])),
  },
};

const five: Row<Stage> = {
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
  await closed(
    stage,
    shown.map(({ screen }) => screen),
  );
  const failed = tries.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return Math.max(...shown.map(({ ms }) => ms));
}

const version: Row<Stage> = {
  id: 'version',
  title: 'coi version',
  budgets: [{ ratio: 1.5, over: 'floor' }],
  subjects: {
    coi: (stage) => timed(() => coi(stage, 'version')),
    floor: (stage) => timed(() => stage.floor('empty', undefined)),
    incus: (stage) => timed(() => stage.other(['incus', 'version'])),
  },
};

/** In the order in which they run: a row that others are compared with comes before them. */
export const rows: readonly Row<Stage>[] = [
  version,
  shell,
  inBackground,
  run,
  attach,
  kill,
  killFive,
  list,
  five,
];
