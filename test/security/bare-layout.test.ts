// Goal: a bare repository next to its worktrees (`project/.bare`, `project/.git` that names it, `project/main`, `project/feature`)
// can be used from `project/main` and from `project`, and everything that the host's git runs or obeys there is guarded.
// Method: the built program as an ordinary user; the attacks in pairs, with the guard off and on.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { Workspaces } from '../bed/workspace.ts';
import { untilEntryGone } from '../incus/coid-bed.ts';

const timeout = 240_000;
let bed: Bed;
let workspaces: Workspaces;

before(async () => {
  bed = await makeBed();
  workspaces = new Workspaces(bed.user);
});
after(async () => {
  await bed?.[Symbol.asyncDispose]();
  await workspaces?.[Symbol.asyncDispose]();
});

const git = 'git -c user.name=a -c user.email=a@example.invalid';
const commit = `${git} commit -q --allow-empty -m x`;
const layout = `git init -q one; (cd one; echo x > file; git add .; ${commit}); mkdir project
git clone -q --bare one project/.bare; cd project; echo 'gitdir: ./.bare' > .git
git --git-dir=.bare worktree add -q main -b trunk; git --git-dir=.bare worktree add -q feature -b feature`;
const work = `git status --porcelain && echo y >> file && git add file && ${commit} && git branch made && git switch -q made`;

/** Each reverts its own effect, and is done in the git directory. */
const attacks = [
  'cp config /tmp/c && echo "[x]" >> config && cat /tmp/c > config',
  'cp config c2 && mv -f c2 config',
  'mkdir -p hooks && echo x > hooks/pre-commit && rm hooks/pre-commit',
  'mv hooks h2 && mv h2 hooks',
  'rm -f commondir && echo /tmp > commondir && rm commondir',
  'mkdir -p info && echo "* filter=x" > info/attributes && rm info/attributes',
  'cp worktrees/main/gitdir /tmp/g && echo /tmp > worktrees/main/gitdir && cat /tmp/g > worktrees/main/gitdir',
  'cp worktrees/feature/commondir /tmp/g && echo /tmp > worktrees/feature/commondir && cat /tmp/g > worktrees/feature/commondir',
  'echo "[x]" > worktrees/main/config.worktree && rm worktrees/main/config.worktree',
  'mv worktrees/feature worktrees/f2 && mv worktrees/f2 worktrees/feature',
  'cd .. && mv .bare .b2 && mv .b2 .bare',
];

for (const [title, at] of [
  ['in project/main', 'main'],
  ['in project', '.'],
] as const)
  test(`work is possible ${title}, and the host sees the commits`, { timeout }, async () => {
    const project = join(await workspaces.make(layout), 'project');
    const result = await run(join(project, at), `cd ${join(project, 'main')} && ${work}`);
    assert.doesNotMatch(result.stderr, /does not work|might execute|incomplete|not checked/);
    const host = 'git log --format=%s -1 made; git status --porcelain; git fsck 2>/dev/null';
    assert.equal(await workspaces.onHost(join(project, 'main'), host), 'x');
    // The other worktree is unchanged, and nothing of coi is left.
    assert.equal(await workspaces.onHost(join(project, 'feature'), 'git status --porcelain'), '');
    assert.doesNotMatch(await workspaces.onHost(project, 'git worktree list'), /prunable/);
    await untilEntryGone(join(project, '.bare'), 'commondir');
  });

for (const [title, at, tops] of [
  ['from project/main', 'main', ['.bare']],
  ['from project', '.', ['.bare']],
] as const)
  test(`programs that the host runs cannot be changed ${title}; without the guard they can`, {
    timeout,
  }, async () => {
    const place1 = join(await workspaces.make(layout), 'project');
    const place2 = join(await workspaces.make(layout), 'project');
    const off = '[security]\ndisable_protection = true\n';
    await workspaces.onHost(
      bed.user.home,
      `mkdir -p .coi; printf '${off.replaceAll('\n', '\\n')}' > .coi/config.toml`,
    );
    const script = (project: string) =>
      attacks
        .flatMap((attack) =>
          tops.map(
            (top) =>
              `(cd ${project}/${top} && ${attack}) && echo "done: ${attack.replaceAll('"', "'")}" || true`,
          ),
        )
        .join('\n');
    const open = await run(join(place1, at), script(place1));
    // A session in one worktree has no access to the directory that holds the repository.
    const possible = at === 'main' ? attacks.slice(0, -1) : attacks;
    assert.equal(
      open.stdout.match(/^done: /gm)?.length,
      possible.length,
      open.stdout + open.stderr,
    );
    await workspaces.onHost(bed.user.home, 'rm .coi/config.toml');
    const withGuard = await run(join(place2, at), script(place2));
    assert.doesNotMatch(withGuard.stdout, /done: /, withGuard.stdout);
    await workspaces.onHost(join(place2, 'main'), `git status --porcelain; ${commit}`);
  });

async function run(cwd: string, script: string) {
  const result = await bed.coi(['run', '--image', bed.image, '--', 'sh', '-c', script], { cwd });
  assert.equal(result.status, 0, result.stderr);
  return result;
}
