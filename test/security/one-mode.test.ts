// Goal: files that a session of one network mode can write are never shared with a session of another mode, whatever the
// directory's current path; and a path alone refuses nothing.
// Method: a live session; its workspace is moved, named in --mount, or its old path is redirected. The control: the same
// mode is accepted, and both then work on the same files.
import assert from 'node:assert/strict';
import { mkdir, readFile, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CoiError } from '../../src/errors.ts';
import { defaultPolicy } from '../../src/network/policy.ts';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { protect } from './protect-bed.ts';
import { commonOf, killSession, makeWorktrees } from './worktree-bed.ts';

const limit = { timeout: 180_000 };
type Mounts = Parameters<CoidBed['request']>[1];

/** The refusal's message; `reserved` if there was none. */
async function refusalOf(
  bed: CoidBed,
  network: 'open' | 'restricted',
  path: string,
  more?: Mounts,
) {
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

test('a moved workspace still has one network mode', limit, async () => {
  await using bed = await makeCoidBed();
  const top = await bed.directory(0);
  const [from, to] = [join(top, 'a'), join(top, 'b')];
  await mkdir(from);
  const { container } = await bed.session({ workspace: from, policy: defaultPolicy('restricted') });
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
  // Into another directory: its new parents count now.
  const other = await bed.directory(0);
  await rename(to, join(other, 'c'));
  assert.equal(await answer(bed, 'open', other), 'network-mode');
  assert.equal(await answer(bed, 'open', await bed.directory(0)), 'reserved');
});

test('the old path of a moved workspace does not restrict others', limit, async () => {
  await using bed = await makeCoidBed();
  const top = await bed.directory(0);
  const [from, unrelated] = [join(top, 'a'), join(top, 'unrelated')];
  for (const path of [from, unrelated]) await mkdir(path);
  await bed.session({ workspace: from, policy: defaultPolicy('restricted') });
  await rename(from, join(top, 'b'));
  await symlink(unrelated, from);
  assert.equal(await answer(bed, 'open', unrelated), 'reserved');
  assert.equal(await answer(bed, 'open', join(top, 'b')), 'network-mode');
});

test(
  'a mount that shares a directory with a live session needs its network mode',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const [workspace, elsewhere] = [await bed.directory(0), await bed.directory(0)];
    assert.equal(dirname(workspace), dirname(elsewhere));
    const { container } = await bed.session({ workspace, policy: defaultPolicy('restricted') });
    const mount = (readonly: boolean) => [{ name: 'x', source: workspace, readonly }];
    // Through a socket both can write, even if one has it read-only.
    for (const readonly of [false, true]) {
      assert.equal(await answer(bed, 'open', elsewhere, mount(readonly)), 'network-mode');
      assert.equal(await answer(bed, 'restricted', elsewhere, mount(readonly)), 'reserved');
    }
    assert.equal(await answer(bed, 'open', elsewhere), 'reserved');
    assert.equal(await bed.status(container), 'Running');
  },
);

test(
  "a directory in neither session's workspace does not restrict their modes",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const cache = await bed.directory(0);
    const mount = (source: string) => [{ name: 'cache', source, readonly: false }];
    const one = await bed.session({ mounts: mount(cache), policy: defaultPolicy('restricted') });
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
    // The cache as a workspace, and a mount that contains the workspace of a live session.
    assert.equal(await answer(bed, 'open', cache), 'network-mode');
    const top = await bed.directory(0);
    await mkdir(join(top, 'work'));
    await bed.session({ workspace: join(top, 'work'), policy: defaultPolicy('restricted') });
    assert.equal(await answer(bed, 'open', await bed.directory(0), mount(top)), 'network-mode');
  },
);

test(
  'two worktrees may have different network modes, a main checkout and its worktree may not',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { main, common, feature, other } = await makeWorktrees(bed, 1003);
    const policy = defaultPolicy('restricted');
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
    const words = await refusalOf(bed, 'open', main);
    assert.ok(
      words.includes(`${guarded.container} has "${common}", which lies in "${main}"`),
      words,
    );
    assert.match(words, /network is restricted, not open: .*\n.*Two worktrees may differ/);
    // And in the other direction.
    for (const { container } of [guarded, open]) await killSession(bed, container);
    const { container } = await bed.session({ workspace: main, policy });
    const mounts = [commonOf(common)];
    const back = await refusalOf(bed, 'open', feature, mounts);
    assert.ok(back.includes(`${container} has "${main}", which holds "${common}"`), back);
    assert.equal(await answer(bed, 'restricted', feature, mounts), 'reserved');
  },
);
