// Goal: what a session of one network mode can write, no session of another mode gets, whatever the directory is called by
// then; and a name alone keeps nobody out.
// Method: a live session; its workspace is moved, named in --mount, or its old name is made to lead elsewhere. The control:
// the same mode is let in, and both then work on the same files.
import assert from 'node:assert/strict';
import { mkdir, readFile, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CoiError } from '../../src/errors.ts';
import { plainPolicy } from '../../src/network/policy.ts';
import { type CoidBed, coidBed } from '../incus/coid-bed.ts';
import { protect } from './protect-bed.ts';
import { commonOf, killed, worktrees } from './worktree-bed.ts';

const limit = { timeout: 180_000 };
type Mounts = Parameters<CoidBed['request']>[1];

/** What was refused, in words; `reserved` where nothing was. */
async function said(bed: CoidBed, network: 'open' | 'restricted', path: string, more?: Mounts) {
  try {
    const { id } = await bed.coid.reserve({ ...bed.request(path, more), network });
    await bed.coid.release(id);
    return 'reserved';
  } catch (error) {
    return error instanceof CoiError ? `${error.message}\n${error.hint}` : String(error);
  }
}

async function answer(bed: CoidBed, network: 'open' | 'restricted', path: string, more?: Mounts) {
  try {
    const { id } = await bed.coid.reserve({ ...bed.request(path, more), network });
    await bed.coid.release(id);
    return 'reserved';
  } catch (error) {
    return error instanceof CoiError ? error.code : String(error);
  }
}

test('a workspace that was moved has one network mode still', limit, async () => {
  await using bed = await coidBed();
  const top = await bed.directory(0);
  const [from, to] = [join(top, 'a'), join(top, 'b')];
  await mkdir(from);
  const { container } = await bed.session({ workspace: from, policy: plainPolicy('restricted') });
  assert.equal(await answer(bed, 'open', from), 'network-mode');
  await rename(from, to);
  await mkdir(join(to, 'sub'));
  const written = await bed.sh(container, 'echo bridge > /workspace/bridge', 'root');
  assert.equal(written.status, 0, String(written.stderr));
  assert.equal(await readFile(join(to, 'bridge'), 'utf8'), 'bridge\n');
  for (const path of [to, join(to, 'sub'), top]) {
    assert.equal(await answer(bed, 'open', path), 'network-mode', path);
    assert.equal(await answer(bed, 'restricted', path), 'reserved', path);
  }
  // Into another directory: what is above it now counts.
  const other = await bed.directory(0);
  await rename(to, join(other, 'c'));
  assert.equal(await answer(bed, 'open', other), 'network-mode');
  assert.equal(await answer(bed, 'open', await bed.directory(0)), 'reserved');
});

test('the old name of a moved workspace keeps nobody out', limit, async () => {
  await using bed = await coidBed();
  const top = await bed.directory(0);
  const [from, unrelated] = [join(top, 'a'), join(top, 'unrelated')];
  for (const path of [from, unrelated]) await mkdir(path);
  await bed.session({ workspace: from, policy: plainPolicy('restricted') });
  await rename(from, join(top, 'b'));
  await symlink(unrelated, from);
  assert.equal(await answer(bed, 'open', unrelated), 'reserved');
  assert.equal(await answer(bed, 'open', join(top, 'b')), 'network-mode');
});

test('a mount of what a live session has needs its network mode', limit, async () => {
  await using bed = await coidBed();
  const [workspace, elsewhere] = [await bed.directory(0), await bed.directory(0)];
  assert.equal(dirname(workspace), dirname(elsewhere));
  const { container } = await bed.session({ workspace, policy: plainPolicy('restricted') });
  const mount = (readonly: boolean) => [{ name: 'x', source: workspace, readonly }];
  // Through a socket both can write, also where one has it read-only.
  for (const readonly of [false, true]) {
    assert.equal(await answer(bed, 'open', elsewhere, mount(readonly)), 'network-mode');
    assert.equal(await answer(bed, 'restricted', elsewhere, mount(readonly)), 'reserved');
  }
  assert.equal(await answer(bed, 'open', elsewhere), 'reserved');
  assert.equal(await bed.status(container), 'Running');
});

test('what is the workspace of neither session does not bind their modes', limit, async () => {
  await using bed = await coidBed();
  const cache = await bed.directory(0);
  const mount = (source: string) => [{ name: 'cache', source, readonly: false }];
  const one = await bed.session({ mounts: mount(cache), policy: plainPolicy('restricted') });
  const other = await bed.session({ mounts: mount(cache) });
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const name = `of-${from.container}`;
    assert.equal((await bed.sh(from.container, `echo x > /cache/${name}`, 'root')).status, 0);
    assert.equal(
      (await bed.sh(to.container, `cat /cache/${name}`, 'root')).stdout.toString(),
      'x\n',
    );
  }
  // The cache as a workspace, and a mount that holds the workspace of a live session.
  assert.equal(await answer(bed, 'open', cache), 'network-mode');
  const top = await bed.directory(0);
  await mkdir(join(top, 'work'));
  await bed.session({ workspace: join(top, 'work'), policy: plainPolicy('restricted') });
  assert.equal(await answer(bed, 'open', await bed.directory(0), mount(top)), 'network-mode');
});

test(
  'two worktrees of one repository may have two modes, its main checkout and one of them may not',
  limit,
  async () => {
    await using bed = await coidBed();
    const { main, common, feature, other } = await worktrees(bed, 1003);
    const policy = plainPolicy('restricted');
    const guarded = await bed.session({
      ...{ workspace: feature, mounts: [commonOf(common)], protect, policy },
    });
    const open = await bed.session({
      ...{ workspace: other, mounts: [commonOf(common, 'other')], protect },
    });
    for (const [{ container }, place] of [
      [guarded, feature],
      [open, other],
    ] as const) {
      const commit = `cd ${place} && git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m x`;
      const made = await bed.sh(container, commit);
      assert.equal(made.status, 0, made.stderr.toString());
    }
    const words = await said(bed, 'open', main);
    assert.ok(
      words.includes(`${guarded.container} has "${common}", which lies in "${main}"`),
      words,
    );
    assert.match(words, /network is restricted, not open: .*\n.*Two worktrees may differ/);
    // And the other way round.
    for (const { container } of [guarded, open]) await killed(bed, container);
    const { container } = await bed.session({ workspace: main, policy });
    const mounts = [commonOf(common)];
    const back = await said(bed, 'open', feature, mounts);
    assert.ok(back.includes(`${container} has "${main}", which holds "${common}"`), back);
    assert.equal(await answer(bed, 'restricted', feature, mounts), 'reserved');
  },
);
