// Rows for existing sessions: attach, list, kill; and `coi version`.
import type { Screen } from '../../test/bed/screen.ts';
import type { Row } from '../measure.ts';
import type { Stage } from '../stage.ts';
import { backgroundSessions, coi, firstScreen, shellArgs, timed } from './actions.ts';

/** Row `attach` uses one running session for all its samples. */
export const attach: Row<Stage> = {
  id: 'attach',
  title: 'coi attach to a running session, first screen',
  budgets: [{ ratio: 1.5, over: 'incus' }],
  prepare: async (stage) => {
    const { screen } = await firstScreen(() => stage.bed.screen(shellArgs(stage)));
    await screen.close();
  },
  subjects: {
    coi: (stage) => measureAttach(stage, () => stage.bed.screen(['attach'])),
    floor: (stage) =>
      measureAttach(stage, (name) => stage.floorScreen('attach', undefined, name, `coi-${name}`)),
    incus: (stage) =>
      measureAttach(stage, (name) => {
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

async function measureAttach(stage: Stage, start: (name: string) => Screen): Promise<number> {
  const [name = ''] = await stage.bed.instances();
  const { ms, screen } = await firstScreen(() => start(name));
  screen.key('ctrl-b d');
  await screen.ended();
  return ms;
}

export const kill: Row<Stage> = {
  id: 'kill',
  title: 'coi kill of one, until it is gone',
  budgets: [{ ratio: 1.15, over: 'incus' }],
  subjects: killSubjects(1, (stage, names) => coi(stage, 'kill', '--force', ...names)),
};

export const killFive: Row<Stage> = {
  id: 'kill-five',
  title: 'coi kill --all of five, until all are gone',
  budgets: [{ ratio: 2, over: { row: 'kill' } }],
  subjects: killSubjects(5, (stage) => coi(stage, 'kill', '--all', '--force')),
};

type Kill = (stage: Stage, names: readonly string[]) => Promise<unknown>;

/** The other subjects kill containers that are not sessions, since coid also handles the end of a session. */
function killSubjects(count: number, ofCoi: Kill): Row<Stage>['subjects'] {
  const ofFloor: Kill = (stage, names) => stage.floor('kill', undefined, ...names);
  const ofIncus: Kill = (stage, names) => stage.runOther(['incus', 'delete', '-f', ...names]);
  return {
    coi: async (stage) => measureKill(stage, await backgroundSessions(stage, count), ofCoi),
    floor: async (stage) => measureKill(stage, await floorContainers(stage, count), ofFloor),
    incus: async (stage) => measureKill(stage, await floorContainers(stage, count), ofIncus),
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

/** Measures until the command has returned and Incus has reported every deletion. */
async function measureKill(stage: Stage, names: readonly string[], work: Kill): Promise<number> {
  const startedMs = performance.now();
  const gone = names.map((name) => stage.gone(name, startedMs));
  const ended = work(stage, names).then(() => performance.now());
  const moments = await Promise.all([ended, ...gone]);
  return Math.max(...moments) - startedMs;
}

export const list: Row<Stage> = {
  id: 'list',
  title: 'coi list with 10 sessions',
  budgets: [{ ratio: 1, over: 'incus' }],
  prepare: async (stage) => void (await backgroundSessions(stage, 10)),
  subjects: {
    coi: (stage) => timed(() => coi(stage, 'list')),
    floor: (stage) => timed(() => stage.floor('list', undefined)),
    incus: (stage) => timed(() => stage.runOther(['incus', 'list'])),
  },
};

export const version: Row<Stage> = {
  id: 'version',
  title: 'coi version',
  budgets: [{ ratio: 1.5, over: 'floor' }],
  subjects: {
    coi: (stage) => timed(() => coi(stage, 'version')),
    floor: (stage) => timed(() => stage.floor('empty', undefined)),
    incus: (stage) => timed(() => stage.runOther(['incus', 'version'])),
  },
};
