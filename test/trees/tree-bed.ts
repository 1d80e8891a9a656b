// A user with a git repository, and sessions with trees of their own.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bed, type BedOptions, makeBed } from '../bed/bed.ts';

export interface TreeBed extends AsyncDisposable {
  readonly bed: Bed;
  /** The user's repository, which is the workspace of the bed. */
  readonly repository: string;
  /** Runs a script of the user in the repository, which must succeed; its output. */
  host(script: string): Promise<string>;
  /** Starts a session in a tree, in the background; the name of its container. */
  start(branch: string, ...args: readonly string[]): Promise<string>;
  /** Runs a script in a container as the agent's user, in its workspace; it must succeed. */
  inside(name: string, script: string): Promise<string>;
  /** The same as root. */
  asRoot(name: string, script: string): Promise<string>;
  coi(...args: readonly string[]): ReturnType<Bed['coi']>;
  /** Its output; it must succeed. */
  ok(...args: readonly string[]): Promise<string>;
  /** `coi diff --json` of a tree. */
  diff(tree: string): Promise<TreeChanges>;
  /** HEAD, branch, status and the index of the user's repository. */
  state(): Promise<string>;
  /** The directory of a tree. */
  treePath(name: string): string;
}

export interface TreeChanges {
  readonly files: number;
  readonly changes: readonly {
    readonly status: string;
    readonly path: string;
    readonly old_path?: string;
    readonly modes: readonly string[];
    readonly mark: string | null;
  }[];
  readonly left_behind: readonly { readonly path: string; readonly why: string }[];
}

/** Content of the repository: `a` to `e` with ten lines each, a script, and what git ignores. */
export const content = `
git init -q -b main
git config user.name Ada
git config user.email ada@example.invalid
for name in a b c d e; do seq 1 10 | sed "s/^/$name /" >$name.txt; done
mkdir src && echo 'echo hello' >src/run.sh && echo 'code' >src/code.txt
printf '.env\\nbuild/\\n' >.gitignore
echo 'SECRET=1' >.env
git add . && git commit -qm first`;

export async function makeTreeBed(
  script: string = content,
  options: BedOptions = {},
): Promise<TreeBed> {
  const bed = await makeBed(options);
  try {
    const tests = treeTests(bed);
    await tests.host(script);
    return tests;
  } catch (error) {
    await bed[Symbol.asyncDispose]();
    throw error;
  }
}

function treeTests(bed: Bed): TreeBed {
  const repository = bed.workspace.path;
  const coi = (...args: readonly string[]) => bed.coi(args);
  const ok = async (...args: readonly string[]) => {
    const { status, stdout, stderr } = await coi(...args);
    assert.equal(status, 0, `coi ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const host = async (script: string) => {
    const { status, stdout, stderr } = await bed.user.run(['bash', '-ec', script], {
      cwd: repository,
    });
    assert.equal(status, 0, `${script}: ${stderr}`);
    return stdout.trim();
  };
  const inContainer = (user: readonly string[]) => async (name: string, script: string) =>
    (
      await ok(
        ...['container', 'exec', ...user, name, '--'],
        ...['bash', '-ec', `cd /workspace; ${script}`],
      )
    ).trim();
  return {
    bed,
    repository,
    host,
    coi,
    ok,
    start: async (branch, ...args) => {
      const image = ['--background', '--json', '--image', bed.image];
      const made = await ok('shell', '--branch', branch, ...image, ...args);
      return (JSON.parse(made) as { container: string }).container;
    },
    inside: inContainer(['--user', '1000']),
    asRoot: inContainer(['--user', '0']),
    diff: async (tree) => JSON.parse(await ok('diff', tree, '--json')) as TreeChanges,
    state: async () => {
      const status = await host(
        'git rev-parse HEAD; git symbolic-ref -q HEAD; git branch; git for-each-ref; git status --porcelain --ignored; git stash list',
      );
      return `${status}\n${readFileSync(join(repository, '.git/index')).toString('base64')}`;
    },
    treePath: (name) => {
      const all = join(bed.user.home, '.local/share/coi/trees');
      const [directory = ''] = readdirSync(all);
      return join(all, directory, name, 'tree');
    },
    [Symbol.asyncDispose]: () => bed[Symbol.asyncDispose](),
  };
}

/** Status and path of each change. */
export function summary({ changes }: TreeChanges): readonly string[] {
  return changes.map(({ status, path, old_path: from }) =>
    from === undefined ? `${status} ${path}` : `${status} ${from} ${path}`,
  );
}
