// Goal: guard settings in the configuration: read-only git, and file systems that cannot be guarded.
// Method: real containers with a private coid.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultSettings } from '../../src/monitor/settings.ts';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { untilAudited } from './audited.ts';
import { asUser, commit, detachesMount, inventory, makeRepo, protect } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

test(
  'with [git] readonly the container cannot write below .git, even after unmounting, and the host can',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await makeRepo(bed, uid);
    const { container } = await bed.session({
      workspace,
      protect: { ...protect, readonlyGit: true },
    });
    const identity = '-c user.name=A -c user.email=a@example.invalid';
    const reads = await bed.sh(
      container,
      'cd /workspace && git log --format=%s && git status --short',
    );
    assert.match(reads.stdout.toString(), /first/, reads.stderr.toString());
    for (const user of ['agent', 'root'] as const) {
      for (const script of [
        `cd /workspace; echo x > file; git -c safe.directory='*' add file && git ${identity} commit -qm inside`,
        'echo x > /workspace/.git/objects/planted',
        'echo x > /workspace/.git/refs/heads/planted',
        'mount -o remount,rw /workspace/.git && echo x > /workspace/.git/planted',
        'umount /workspace/.git && echo x > /workspace/.git/planted',
      ])
        assert.notEqual((await bed.sh(container, script, user)).status, 0, `${script}, as ${user}`);
    }
    // Control: everything outside .git can be written, and without readonly the same commit works.
    const open = await bed.session({ workspace: await makeRepo(bed, uid), protect });
    const committed = `cd /workspace; echo x > file; git add file && git ${identity} commit -qm inside`;
    const bare = await bed.sh(open.container, committed);
    assert.equal(bare.status, 0, bare.stderr.toString());
    await commit(uid, workspace, 'from the host');
    assert.match(
      await asUser(uid, ['git', '-C', workspace, 'log', '--format=%s']),
      /from the host/,
    );
    assert.notEqual((await bed.sh(container, detachesMount, 'root')).status, 0);
  },
);

test(
  'if nothing can be guarded the start is refused, unless watching is configured as enough',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const mountPoint = await bed.directory(uid);
    execFileSync('mount', ['-t', 'ramfs', 'none', mountPoint]);
    try {
      const workspace = join(mountPoint, 'project');
      await mkdir(join(workspace, '.vscode'), { recursive: true });
      await writeFile(join(workspace, '.vscode/tasks.json'), '{}');
      for (const path of ['', '.vscode', '.vscode/tasks.json'])
        await chown(join(workspace, path), uid, uid);
      const before = await inventory(workspace);
      const reserveRequest = { ...bed.request(workspace), protect };
      await assert.rejects(bed.coid.reserve(reserveRequest), { code: 'unprotected-path' });
      assert.deepEqual(await bed.mountIds(), []);
      const watched = await bed.coid.reserve({
        ...reserveRequest,
        protect: { ...protect, mode: 'watch' },
      });
      assert.deepEqual(
        watched.mounts.map(({ kind }) => kind),
        ['plain'],
      );
      assert.deepEqual(await inventory(workspace), before);
      assert.equal(
        await readFile(join(watched.mounts[0]?.hostPath ?? '', '.vscode/tasks.json'), 'utf8'),
        '{}',
      );
      await bed.coid.release(watched.id);
    } finally {
      execFileSync('umount', ['-l', mountPoint]);
    }
  },
);

test(
  'creating a missing protected path is reported, and pauses a monitored session',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const monitor = JSON.stringify({ ...defaultSettings, pollMs: 500 });
    const [plain, watched] = await Promise.all(
      [{}, { 'user.coi.monitor': monitor }].map(async (config) =>
        bed.session({ workspace: await makeRepo(bed, uid), protect, config }),
      ),
    );
    assert.ok(plain && watched);
    const { container } = watched;
    await untilAudited(bed.coid, container, ({ action }) => action === 'watch-started');
    // Control: paths that are not protected may be created.
    const made = 'cd /workspace && mkdir .other && mkdir .husky && echo x > .husky/pre-commit';
    const paused = bed.lifecycle.until('instance-paused', container);
    assert.equal((await bed.sh(plain.container, made)).status, 0);
    await bed.sh(container, made).catch(() => undefined);
    await paused;
    assert.match(await alertOf(bed, plain.container), /"high".*Protected path created.*\.husky/);
    assert.equal(await bed.status(plain.container), 'Running');
    const found = await untilAudited(bed.coid, container, ({ level }) => level === 'high');
    assert.equal(found.action, 'paused');
    assert.match(`${found.title}: ${found.description}`, /Protected path created: \.husky/);
  },
);

/** The instance's alert, as soon as there is one. */
async function alertOf({ incus, lifecycle }: CoidBed, name: string): Promise<string> {
  for (let updates = 1; ; updates += 1) {
    const alert = (await incus.instance(name))?.instance.config['user.coi.alert'];
    if (alert) return alert;
    await lifecycle.until('instance-updated', name, updates);
  }
}
