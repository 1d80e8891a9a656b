// Goal: in a repository with large files the agent commits and pushes the same as the host's git-lfs would, although its
// hooks and configuration are read-only; filters that are missing inside are reported at start.
// Method: the built program and the default image; the host needs no git-lfs.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { defaultImage } from '../../src/image/versions.ts';
import { type Bed, makeBed } from '../bed/bed.ts';
import { Workspaces } from '../bed/workspace.ts';

const image = process.env['COI_DEFAULT_IMAGE'] ?? defaultImage;
const timeout = 180_000;
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

const identity =
  'git config --global user.name a; git config --global user.email a@example.invalid';
const content = 'large\n'.repeat(1000);
const oid = createHash('sha256').update(content).digest('hex');
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`;
const object = `${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
/** Like a clone by git-lfs: the pointer in the commit, the file in the checkout, its content below .git. */
const repository = `git init -q -b main .; ${identity}
printf '*.bin filter=lfs diff=lfs merge=lfs -text\\n' > .gitattributes
printf '${pointer.replaceAll('\n', '\\n')}' > old.bin
git -c filter.lfs.clean=cat -c filter.lfs.required=false add .; git commit -qm first
mkdir -p .git/lfs/objects/${object.slice(0, 5)}; yes large | head -n 1000 > .git/lfs/objects/${object}
cp .git/lfs/objects/${object} old.bin
printf '#!/bin/sh\\ngit lfs pre-push "$@"\\n' > .git/hooks/pre-push; chmod +x .git/hooks/pre-push`;

test('git-lfs pointers stay pointers, and a push sends the files', { timeout }, async () => {
  const cwd = await workspaces.make(repository);
  const result = await run(
    cwd,
    `${identity}; git add -A; git diff --cached --quiet
yes other | head -n 1000 > new.bin; git add -A; git commit -qm second; git lfs ls-files -n
git init -q --bare /tmp/remote; git push -q file:///tmp/remote main >&2
find /tmp/remote/lfs/objects -type f | wc -l; git lfs install --skip-repo`,
  );
  assert.match(result.stdout, /^new\.bin\nold\.bin\n2\n/);
  assert.doesNotMatch(result.stderr, /filters of this repository/);
  assert.equal(`${await workspaces.onHost(cwd, 'git cat-file -p HEAD:old.bin')}\n`, pointer);
  assert.match(
    await workspaces.onHost(cwd, 'git cat-file -p HEAD:new.bin'),
    /^version https:\/\/git-lfs/,
  );
});

test('a filter that is missing inside is reported before the agent adds anything', {
  timeout,
}, async () => {
  const cwd = await workspaces.make(
    `git init -q .; printf '*.key filter=git-crypt\\n' > .gitattributes; git config filter.git-crypt.clean 'git-crypt clean'`,
  );
  const result = await run(cwd, 'true');
  assert.match(
    result.stderr,
    /filters of this repository are missing in this session, so git would use the files unfiltered: git-crypt \(no git-crypt\)/,
  );
});

async function run(cwd: string, script: string) {
  const result = await bed.coi(['run', '--image', image, '--', 'sh', '-ec', script], { cwd });
  assert.equal(result.status, 0, result.stderr);
  return result;
}
