// Goal: what the configuration may loosen or tighten about the guard: read-only git, file systems that cannot be guarded.
// Method: real containers through a coid of their own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultSettings } from '../../src/monitor/settings.ts';
import { type CoidBed, coidBed } from '../incus/coid-bed.ts';
import { untilAudited } from './audited.ts';
import { asUser, commit, detachesMount, inventory, protect, repository } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

test(
  'with [git] readonly nobody inside writes below .git, whatever mounts they take away, and the host goes on',
  limit,
  async () => {
    await using bed = await coidBed();
    const workspace = await repository(bed, uid);
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
    // The control: beside .git everything can be written, and without readonly the same commit works.
    const open = await bed.session({ workspace: await repository(bed, uid), protect });
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
  'where nothing can be guarded the start is refused, unless the configuration says that watching is enough',
  limit,
  async () => {
    await using bed = await coidBed();
    const place = await bed.directory(uid);
    execFileSync('mount', ['-t', 'ramfs', 'none', place]);
    try {
      const workspace = join(place, 'project');
      await mkdir(join(workspace, '.vscode'), { recursive: true });
      await writeFile(join(workspace, '.vscode/tasks.json'), '{}');
      for (const path of ['', '.vscode', '.vscode/tasks.json'])
        await chown(join(workspace, path), uid, uid);
      const before = await inventory(workspace);
      const asked = { ...bed.request(workspace), protect };
      await assert.rejects(bed.coid.reserve(asked), { code: 'unprotected-path' });
      assert.deepEqual(await bed.mountIds(), []);
      const watched = await bed.coid.reserve({ ...asked, protect: { ...protect, mode: 'watch' } });
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
      execFileSync('umount', ['-l', place]);
    }
  },
);

test(
  'a protected path that was missing and is made: told, and paused where the session is watched',
  limit,
  async () => {
    await using bed = await coidBed();
    const monitor = JSON.stringify({ ...defaultSettings, pollMs: 500 });
    const [plain, watched] = await Promise.all(
      [{}, { 'user.coi.monitor': monitor }].map(async (config) =>
        bed.session({ workspace: await repository(bed, uid), protect, config }),
      ),
    );
    assert.ok(plain && watched);
    const { container } = watched;
    await untilAudited(bed.coid, container, ({ action }) => action === 'watch-started');
    // The control: what is not protected may be made.
    const made = 'cd /workspace && mkdir .other && mkdir .husky && echo x > .husky/pre-commit';
    const paused = bed.lifecycle.until('instance-paused', container);
    assert.equal((await bed.sh(plain.container, made)).status, 0);
    await bed.sh(container, made).catch(() => undefined);
    await paused;
    assert.match(await alertOf(bed, plain.container), /"high".*Protected path made.*\.husky/);
    assert.equal(await bed.status(plain.container), 'Running');
    const found = await untilAudited(bed.coid, container, ({ level }) => level === 'high');
    assert.equal(found.action, 'paused');
    assert.match(`${found.title}: ${found.description}`, /Protected path made: \.husky/);
  },
);

/** What the instance says, as soon as it says something. */
async function alertOf({ incus, lifecycle }: CoidBed, name: string): Promise<string> {
  for (let updates = 1; ; updates += 1) {
    const alert = (await incus.instance(name))?.instance.config['user.coi.alert'];
    if (alert) return alert;
    await lifecycle.until('instance-updated', name, updates);
  }
}
