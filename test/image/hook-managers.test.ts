// Goal: `npm install` in a guarded repository succeeds with common hook managers, hooks installed on the host run inside,
// and the host's own files are unchanged.
// Method: the real packages, fetched by the host's npm; inside, npm is offline.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { defaultImage } from '../../src/image/versions.ts';
import { type Bed, makeBed } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { testPrefix } from '../bed/prefix.ts';
import { homeFile } from '../lifecycle/conversation.ts';

const image = process.env['COI_DEFAULT_IMAGE'] ?? defaultImage;
const timeout = 240_000;

interface Project {
  readonly packages: readonly string[];
  readonly prepare: string;
  /** Additional files by path; hooks are executable. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether a hook runs on a commit inside. */
  readonly hook: 'runs' | 'none';
  /** Whether the user has run `npm install` before. */
  readonly installed: boolean;
  /** Messages that the manager may print about failed steps. */
  readonly complaints?: RegExp;
}

const lefthook = (version: string, installed: boolean): Project => ({
  packages: [`lefthook@${version}`, `lefthook-linux-${process.arch}@${version}`],
  prepare: 'lefthook install',
  files: { 'lefthook.yml': 'pre-commit:\n  commands:\n    one:\n      run: echo hook-ran\n' },
  hook: 'runs',
  installed,
});
const husky = (version: string, prepare: string, installed: boolean): Project => ({
  packages: [`husky@${version}`],
  prepare,
  files: {
    '.husky/pre-commit':
      version < '9'
        ? '#!/bin/sh\n. "$(dirname "$0")/_/husky.sh"\necho hook-ran\n'
        : 'echo hook-ran\n',
  },
  hook: installed ? 'runs' : 'none',
  installed,
});

const projects: Readonly<Record<string, Project>> = {
  'lefthook 2, installed on the host': lefthook('2.2.2', true),
  'lefthook 2 in a fresh clone': lefthook('2.2.2', false),
  'lefthook 1 in a fresh clone': lefthook('1.13.6', false),
  'husky 9, installed on the host': husky('9.1.7', 'husky', true),
  'husky 9 in a fresh clone': husky('9.1.7', 'husky', false),
  'husky 8, installed on the host': {
    ...husky('8.0.3', 'husky install', true),
    complaints: /could not write config file/,
  },
  'husky 8 in a fresh clone': husky('8.0.3', 'husky install', false),
  'simple-git-hooks, installed on the host': {
    packages: ['simple-git-hooks@2.14.0'],
    prepare: 'simple-git-hooks',
    files: { '.simple-git-hooks.json': '{"pre-commit":"echo hook-ran"}' },
    hook: 'runs',
    installed: true,
  },
};

let tarballs: string;
before(
  async () => {
    tarballs = mkdtempSync(`/tmp/${testPrefix}-hooks-`);
    const all = new Set(Object.values(projects).flatMap(({ packages }) => packages));
    await mustRun(['npm', 'pack', '--silent', '--pack-destination', tarballs, ...all], {
      limitMs: timeout,
    });
  },
  { timeout },
);
after(() => rmSync(tarballs, { recursive: true, force: true }));

const quiet =
  'npm install --offline --foreground-scripts --no-audit --no-fund --no-update-notifier';
const inside = `
${quiet} >install.log 2>&1; echo "install $?"
git add package.json; git -c user.name=a -c user.email=a@a commit -m x >commit.log 2>&1; echo "commit $?"
grep -q ^hook-ran commit.log && echo 'hook runs' || echo 'hook none'
cat install.log commit.log >&2
`;

for (const [name, project] of Object.entries(projects))
  test(`npm install and git commit work with the guard: ${name}`, { timeout }, async () => {
    await using bed = await makeBed({ git: true });
    // Anything that raises an alert would be paused.
    homeFile(bed, '.coi/config.toml', '[monitoring]\nenabled = true\n');
    await prepared(bed, project);
    const before = gitFiles(bed);
    const done = await bed.coi(['run', '--image', image, '--', 'bash', '-c', inside], {
      limitMs: timeout,
    });
    assert.deepEqual(
      done.stdout.trim().split('\n'),
      ['install 0', 'commit 0', `hook ${project.hook}`],
      done.stderr,
    );
    const result = done.stderr.split('\n').filter((line) => /error|denied|too large/i.test(line));
    const unexpected = result.filter((line) => !project.complaints?.test(line));
    assert.deepEqual(
      unexpected.filter((line) => !line.startsWith('Executing:')),
      [],
    );
    assert.deepEqual(gitFiles(bed), before);
  });

async function prepared(bed: Bed, project: Project): Promise<void> {
  const top = bed.workspace.path;
  const dependencies: Record<string, string> = {};
  for (const name of project.packages) {
    const file = `${name.replace('@', '-')}.tgz`;
    cpSync(join(tarballs, file), join(top, file));
    dependencies[name.split('@')[0] ?? ''] = `file:${file}`;
  }
  const manifest = {
    ...{ name: 'project', version: '1.0.0', scripts: { prepare: project.prepare } },
    devDependencies: dependencies,
  };
  const files = { ...project.files, 'package.json': JSON.stringify(manifest) };
  for (const [path, text] of Object.entries(files)) {
    const made = await bed.user.run(
      ['sh', '-c', 'mkdir -p "$(dirname "$0")" && cat >"$0" && chmod 755 "$0"', join(top, path)],
      { input: text },
    );
    assert.equal(made.status, 0, made.stderr);
  }
  if (!project.installed) return;
  const done = await bed.user.run(['sh', '-c', quiet], { cwd: top, limitMs: timeout });
  assert.equal(done.status, 0, done.stderr);
  rmSync(join(top, 'node_modules'), { recursive: true });
}

/** Files that the host's git would run or obey. */
function gitFiles(bed: Bed): Record<string, string> {
  const git = join(bed.workspace.path, '.git');
  const hooks = readdirSync(join(git, 'hooks')).map((name) => `hooks/${name}`);
  return Object.fromEntries(
    ['config', ...hooks].map((name) => [name, readFileSync(join(git, name), 'utf8')]),
  );
}
