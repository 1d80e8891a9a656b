// Goal: the agent cannot change files that git's configuration names in a project, since the host's git runs them.
// Method: every attack twice in a real container: with the guard off the host's git runs the agent's file, with
// it on the file cannot be put there.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, chmod, chown, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { makeUser } from '../bed/users.ts';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { asUser, commit, makeRepo, protect, untilGuarded } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

/** A host command, and the program that it then runs. */
const cases = [
  { program: 'dev/diff', does: ['diff'] },
  { program: 'dev/hooks/pre-commit', does: ['commit', '--allow-empty', '-m', 'x'] },
  { program: 'dev/gpg', does: ['commit', '-S', '--no-verify', '--allow-empty', '-m', 'x'] },
  { program: 'dev/alias', does: ['x'] },
  { program: 'dev/included', does: ['y'] },
  { program: 'dev/textconv', does: ['show', '--textconv', 'HEAD:a.bin'] },
  { program: 'my tools/editor', does: ['commit', '--no-verify', '--allow-empty'] },
  { program: 'dev/outer', does: ['w'] },
  { program: 'lib/dev/own', does: ['-C', 'lib', 'z'] },
] as const;

const configuration = (workspace: string, outside: string) => `[core]
	hooksPath = ${workspace}/dev/hooks
	editor = "'my tools/editor'"
[diff] external = ./dev/diff ; all on one line
[diff "bin"]
	textconv = sh de\\
v/textconv
[gpg]
	program = ${workspace}/dev/gpg
[alias]
	x = "!f() { sh -c './dev/alias --flag'; }; f"
[includeIf "gitdir:${workspace}/"]
	path = ../dev/git.conf
[include]
	path = ${outside}/outer.conf
`;

async function configured(bed: CoidBed, outside: string): Promise<string> {
  const [library, workspace] = [await makeRepo(bed, uid), await makeRepo(bed, uid)];
  const git = gitIn(workspace);
  await git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib');
  await put(workspace, 'a.bin', 'x\n');
  await put(workspace, '.gitattributes', '*.bin diff=bin\n');
  await git('add', '.');
  await commit(uid, workspace, 'more');
  await put(workspace, 'a.bin', 'y\n');
  for (const { program } of cases) await put(workspace, program, '#!/bin/sh\nexit 0\n', 0o755);
  await put(workspace, 'dev/git.conf', '[include]\n\tpath = more.conf\n');
  await put(
    workspace,
    'dev/more.conf',
    '[alias]\n\ty = !$(git rev-parse --show-toplevel)/dev/included\n',
  );
  await appendFile(join(workspace, '.git/config'), configuration(workspace, outside));
  await appendFile(join(workspace, '.git/modules/lib/config'), '[alias]\n\tz = !dev/own\n');
  return workspace;
}

test(
  'files that git configuration names can be replaced without the guard, and not with it',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const mark = await bed.directory(uid);
    await put(mark, 'outer.conf', '[alias]\n\tw = !dev/outer\n');
    const [bare, secured] = [await configured(bed, mark), await configured(bed, mark)];
    const open = await bed.session({ workspace: bare });
    const guarded = await bed.session({ workspace: secured, protect });
    for (const { program, does } of cases) {
      const script = attack(program, mark);
      const done = await bed.sh(open.container, script);
      assert.equal(done.status, 0, `${program}, guard off: ${done.stderr}`);
      assert.ok(await runs(bare, does, mark), `${program}: not run with the guard off`);
      for (const user of ['agent', 'root'] as const) {
        const refused = await bed.sh(guarded.container, script, user);
        assert.notEqual(refused.status, 0, `${program}, guard on, ${user}`);
      }
      assert.ok(!(await runs(secured, does, mark)), `${program}: run with the guard on`);
    }
    // An included file applies as much as the file that includes it.
    for (const path of ['dev/git.conf', 'dev/more.conf', '.git/modules/lib/config']) {
      const refused = await bed.sh(guarded.container, `cd /workspace; echo >> ${path}`, 'root');
      assert.notEqual(refused.status, 0, path);
    }
    const otherWork =
      'cd /workspace && echo x > dev/other && echo y > lib/dev/other && echo z > a.bin';
    const worked = await bed.sh(guarded.container, otherWork);
    assert.equal(worked.status, 0, worked.stderr.toString());
  },
);

test(
  "hooks that the user's own configuration names in each project are guarded",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const user = await makeUser();
    try {
      await user.run(['git', 'config', '--global', 'core.hooksPath', '.githooks']);
      const mark = await bed.directory(user.uid);
      const [bare, secured] = [await makeRepo(bed, user.uid), await makeRepo(bed, user.uid)];
      for (const workspace of [bare, secured])
        await user.run([
          'sh',
          '-c',
          `cd ${workspace}; mkdir .githooks; echo true > .githooks/pre-commit; chmod +x .githooks/pre-commit`,
        ]);
      const open = await bed.session({ workspace: bare });
      const guarded = await bed.session({ workspace: secured, protect });
      const script = attack('.githooks/pre-commit', mark);
      assert.equal((await bed.sh(open.container, script)).status, 0);
      const does = [
        'git',
        '-c',
        'user.name=A',
        '-c',
        'user.email=a@b',
        '-C',
        bare,
        'commit',
        '--allow-empty',
        '-m',
        'x',
      ];
      await user.run(does);
      assert.ok(existsSync(join(mark, 'ran')), 'not run with the guard off');
      assert.notEqual((await bed.sh(guarded.container, script, 'root')).status, 0);
    } finally {
      await user.remove();
    }
  },
);

test(
  "hooks that a linked worktree's repository names are guarded in the worktree",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const mark = await bed.directory(uid);
    const [bare, secured] = [await linkedWorktree(bed), await linkedWorktree(bed)];
    const open = await bed.session({ workspace: bare });
    const guarded = await bed.session({ workspace: secured, protect });
    const script = attack('.githooks/pre-commit', mark);
    assert.equal((await bed.sh(open.container, script)).status, 0);
    assert.ok(await runs(bare, ['commit', '--allow-empty', '-m', 'x'], mark));
    assert.notEqual((await bed.sh(guarded.container, script, 'root')).status, 0);
    assert.ok(!(await runs(secured, ['commit', '--allow-empty', '-m', 'x'], mark)));
  },
);

test(
  "files that the host's configuration names later are guarded from then on",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await makeRepo(bed, uid);
    await put(workspace, 'late', '#!/bin/sh\nexit 0\n', 0o755);
    const { container } = await bed.session({ workspace, protect });
    const script = 'cd /workspace && echo >> late';
    assert.equal((await bed.sh(container, script)).status, 0);
    await asUser(uid, ['git', '-C', workspace, 'config', 'alias.x', '!sh ./late']);
    await untilGuarded(join(workspace, 'late'));
    assert.notEqual((await bed.sh(container, script)).status, 0);
  },
);

test(
  'configuration that cannot be read refuses the start, whichever file it is',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await makeRepo(bed, uid);
    const reserveRequest = { ...bed.request(workspace), protect };
    for (const [path, text, message] of [
      ['.git/config', '[core\n', /"\.git\/config" cannot be read/],
      [
        '.git/config',
        '[include]\n\tpath = ../conf\n',
        /"conf" cannot be read.* \(named by "include\.path in \.git\/config"\)/,
      ],
      ['.git/config', `# ${'x'.repeat(1_100_000)}\n`, /"\.git\/config" cannot be read/],
      ['.git/config', '[core]\n\thooksPath = .\n', /^"\." \(named by "core\.hookspath/],
    ] as const) {
      await mkdir(join(workspace, 'conf'), { recursive: true });
      const before = await asUser(uid, ['cat', join(workspace, path)]);
      await appendFile(join(workspace, path), text);
      await assert.rejects(bed.coid.reserve(reserveRequest), { code: 'unprotected-path', message });
      await writeFile(join(workspace, path), before);
    }
    // Control: without it, the same start works.
    await bed.coid.release((await bed.coid.reserve(reserveRequest)).id);
  },
);

test(
  'an ordinary clone starts, and its configuration guards nothing in the project',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await ordinary(bed);
    const { container } = await bed.session({ workspace, protect });
    const guarded = (await guardedIn(workspace)).filter((path) => !path.startsWith('.git/'));
    assert.deepEqual(guarded.toSorted(), [
      ...['.claude', '.claude/settings.json', '.git', '.husky', '.husky/_', '.husky/_/h'],
      ...['.husky/pre-commit', '.vscode', '.vscode/tasks.json'],
    ]);
    const worked = await bed.sh(
      container,
      'cd /workspace && for d in src docs test build main base lib feature; do echo x > $d/a || exit 1; done; git -c user.name=A -c user.email=a@b commit -qam x --no-verify && git branch third',
    );
    assert.equal(worked.status, 0, worked.stderr.toString());
  },
);

async function linkedWorktree(bed: CoidBed): Promise<string> {
  const [main, workspace] = [await makeRepo(bed, uid), join(await bed.directory(uid), 'linked')];
  await gitIn(main)('worktree', 'add', '--quiet', '-b', 'linked', workspace);
  await gitIn(main)('config', 'core.hooksPath', '.githooks');
  await put(workspace, '.githooks/pre-commit', 'true\n', 0o755);
  return workspace;
}

/** As left by clone, branch, submodule, lfs, husky, sparse-checkout, gh and editors. */
async function ordinary(bed: CoidBed): Promise<string> {
  const [library, origin] = [await makeRepo(bed, uid), await makeRepo(bed, uid)];
  for (const name of ['src', 'docs', 'test', 'build', 'main', 'base', 'feature'])
    await put(origin, `${name}/a`, 'x\n');
  for (const name of ['.husky/_/h', '.husky/pre-commit']) await put(origin, name, 'true\n', 0o755);
  await asUser(uid, ['git', '-C', origin, 'add', '.']);
  await commit(uid, origin, 'project');
  const workspace = join(await bed.directory(uid), 'clone');
  await asUser(uid, ['git', 'clone', '--quiet', origin, workspace]);
  const git = gitIn(workspace);
  await git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib');
  await git('checkout', '--quiet', '-b', 'feature/a', '--track', 'origin/master');
  await git('sparse-checkout', 'set', '--no-cone', '/*');
  await git('worktree', 'add', '--quiet', '-b', 'other/a', `${workspace}-2`);
  for (const [key, value] of Object.entries({
    'core.hooksPath': '.husky/_',
    'filter.lfs.clean': 'git-lfs clean -- %f',
    'filter.lfs.process': 'git-lfs filter-process',
    'lfs.repositoryformatversion': '0',
    'remote.origin.gh-resolved': 'base',
    'branch.main.vscode-merge-base': 'origin/main',
    'user.name': 'src',
    'alias.test': '!npm test',
    'alias.b': '!make build',
    'alias.lg': 'log --graph -- src docs',
    'pull.rebase': 'true',
    'gpg.format': 'ssh',
    'credential.helper': 'store',
  }))
    await git('config', key, value);
  return workspace;
}

function gitIn(workspace: string): (...words: string[]) => Promise<string> {
  return (...words) => asUser(uid, ['git', '-C', workspace, ...words]);
}

/** The program then leaves a file on the host, in a directory that does not exist in the container. */
function attack(program: string, mark: string): string {
  return `cd /workspace && printf '#!/bin/sh\\ntouch ${mark}/ran\\nexit 1\\n' > '${program}'`;
}

/** Whether the host's git runs the attack's file. Whether git itself fails does not matter. */
async function runs(workspace: string, words: readonly string[], mark: string): Promise<boolean> {
  await rm(join(mark, 'ran'), { force: true });
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.invalid'];
  await gitIn(workspace)(...identity, ...words).catch(() => undefined);
  return existsSync(join(mark, 'ran'));
}

async function put(workspace: string, path: string, text: string, mode = 0o644): Promise<void> {
  const file = join(workspace, path);
  await asUser(uid, ['mkdir', '-p', dirname(file)]);
  await writeFile(file, text);
  await chown(file, uid, uid);
  await chmod(file, mode);
}

async function guardedIn(workspace: string): Promise<string[]> {
  const found: string[] = [];
  for (const path of await readdir(workspace, { recursive: true })) {
    const stats = await lstat(join(workspace, path));
    if (stats.uid >= 0x7000_0000 || stats.gid >= 0x7000_0000) found.push(path);
  }
  return found;
}
