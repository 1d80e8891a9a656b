// Goal: a bare repository beside its worktrees (`project/.bare`, `project/.git` that names it, `project/main`, `project/feature`)
// is worked in from `project/main` and from `project`, and what the host's git runs or obeys there is guarded.
// Method: the built program as an ordinary user; the attacks in pairs, with the guard off and on.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { Workspaces } from '../bed/workspace.ts';
import { untilGone } from '../incus/coid-bed.ts';

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

/** Each takes its own effect back, and is made in the directory of git. */
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
  test(`work goes on ${title}, and the host has it`, { timeout }, async () => {
    const project = join(await workspaces.make(layout), 'project');
    const said = await run(join(project, at), `cd ${join(project, 'main')} && ${work}`);
    assert.doesNotMatch(said.stderr, /does not work|obey|not complete|looked at/);
    const host = 'git log --format=%s -1 made; git status --porcelain; git fsck 2>/dev/null';
    assert.equal(await workspaces.onHost(join(project, 'main'), host), 'x');
    // The other worktree is as it was, and nothing of coi's is left.
    assert.equal(await workspaces.onHost(join(project, 'feature'), 'git status --porcelain'), '');
    assert.doesNotMatch(await workspaces.onHost(project, 'git worktree list'), /prunable/);
    await untilGone(join(project, '.bare'), 'commondir');
  });

for (const [title, at, tops] of [
  ['from project/main', 'main', ['.bare']],
  ['from project', '.', ['.bare']],
] as const)
  test(`what the host runs there cannot be changed ${title}: without the guard it can`, {
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
    // The directory that holds the repository is not the session's where that works in one of its worktrees.
    const possible = at === 'main' ? attacks.slice(0, -1) : attacks;
    assert.equal(
      open.stdout.match(/^done: /gm)?.length,
      possible.length,
      open.stdout + open.stderr,
    );
    await workspaces.onHost(bed.user.home, 'rm .coi/config.toml');
    const held = await run(join(place2, at), script(place2));
    assert.doesNotMatch(held.stdout, /done: /, held.stdout);
    await workspaces.onHost(join(place2, 'main'), `git status --porcelain; ${commit}`);
  });

async function run(cwd: string, script: string) {
  const said = await bed.coi(['run', '--image', bed.image, '--', 'sh', '-c', script], { cwd });
  assert.equal(said.status, 0, said.stderr);
  return said;
}
