// Rows for own trees: start, diff and merge in a repository of 10 000 files.
import type { Row } from '../measure.ts';
import type { Stage } from '../stage.ts';
import { closeScreens, coi, firstScreen, shellArgs, timed } from './actions.ts';

const diffTree = 'bench-diff';
const mergeTree = 'bench-merge';

/** 10 000 files of 20 lines in 100 directories. */
const repository = `
git init -q -b main; git config user.name a; git config user.email a@example.invalid
for d in $(seq 100); do mkdir -p "d$d"; for f in $(seq 100); do seq "$d" "$((d + 20))" >"d$d/$f.txt"; done; done
git add . && git commit -qm first`;

let made = 0;
/** Each sample needs a branch that does not exist. */
const nextName = () => {
  made += 1;
  return `bench-${made}`;
};

async function inRepository(stage: Stage, script: string): Promise<string> {
  const at = repositoryOf(stage);
  const { stdout } = await stage.runOther(['bash', '-ec', `cd ${at}; ${script}`]);
  return stdout.trim();
}

function repositoryOf({ bed }: Stage): string {
  return `${bed.workspace.path}/repository`;
}

async function prepare(stage: Stage): Promise<void> {
  const at = repositoryOf(stage);
  await stage.runOther(['mkdir', '-p', at]);
  await inRepository(stage, `[ -e .git ] || { ${repository.trim()}; }`);
}

const atRepository = (stage: Stage) => ['-w', repositoryOf(stage)];

export const branch: Row<Stage> = {
  id: 'branch',
  title: 'coi shell --branch, new tree of 10 000 files; floor: git worktree add',
  budgets: [
    { ratio: 1.15, over: 'floor' },
    { ratio: 2, over: { row: 'shell' } },
  ],
  prepare,
  subjects: {
    coi: async (stage) => {
      const args = [...shellArgs(stage), ...atRepository(stage), '--branch', nextName()];
      const { ms, screen } = await firstScreen(() => stage.bed.screen(args));
      await closeScreens(stage, [screen]);
      return ms;
    },
    floor: async (stage) => {
      const name = nextName();
      const at = `${stage.bed.workspace.path}/${name}`;
      const ms = await timed(() => inRepository(stage, `git worktree add -q ${at} -b ${name}`));
      await inRepository(stage, `git worktree remove --force ${at}`);
      return ms;
    },
  },
};

/** Twenty changed files, in a session that runs. */
export const diff: Row<Stage> = {
  id: 'diff',
  title: 'coi diff of 20 changes in 10 000 files, session running; floor: git diff in the tree',
  budgets: [{ ratio: 20, over: 'floor' }],
  prepare: async (stage) => {
    await prepare(stage);
    const image = ['--background', '--image', stage.image];
    await coi(stage, 'shell', ...atRepository(stage), '--branch', diffTree, ...image);
    const script = 'for f in $(seq 20); do echo x >>"d$f/1.txt"; done';
    const [name = ''] = await stage.bed.instances();
    await coi(stage, 'container', 'exec', name, '--', 'sh', '-c', `cd /workspace; ${script}`);
    await inRepository(stage, `cp -r . ../changed; cd ../changed; ${script}`);
  },
  subjects: {
    coi: (stage) => timed(() => coi(stage, 'diff', diffTree, '--stat', ...atRepository(stage))),
    floor: (stage) => timed(() => inRepository(stage, 'cd ../changed; git diff --stat >/dev/null')),
  },
};

/** A hundred changed files; the merge is taken back after each sample. */
export const merge: Row<Stage> = {
  id: 'merge',
  title: 'coi merge of 100 files; floor: git merge --squash and git commit',
  budgets: [{ ratio: 2, over: 'floor' }],
  prepare: async (stage) => {
    await prepare(stage);
    const image = ['--background', '--image', stage.image];
    await coi(stage, 'shell', ...atRepository(stage), '--branch', mergeTree, ...image);
    const script = 'for d in $(seq 100); do echo x >>"d$d/2.txt"; done';
    const [name = ''] = await stage.bed.instances();
    await coi(stage, 'container', 'exec', name, '--', 'sh', '-c', `cd /workspace; ${script}`);
    await stage.clear();
    await inRepository(
      stage,
      `git checkout -qb changed; ${script}; git commit -qam changed; git checkout -q main`,
    );
  },
  subjects: {
    coi: async (stage) => {
      const ms = await timed(() => coi(stage, 'merge', mergeTree, ...atRepository(stage)));
      await inRepository(stage, 'git reset -q --hard HEAD~');
      return ms;
    },
    floor: async (stage) => {
      const ms = await timed(() =>
        inRepository(stage, 'git merge -q --squash changed && git commit -qm changed'),
      );
      await inRepository(stage, 'git reset -q --hard HEAD~');
      return ms;
    },
  },
};
