// Goal: paths that are hidden, protected or read-only in a workspace are so in every other mount of the session that shows them.
// Method: real containers with a private coid; each route is also tried without the guard, where it works.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { MountRequest, ProtectRequest } from '../../src/coid-api/session-protocol.ts';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { attacks, commit, makeRepo, protect } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;
const secret = 'the-secret-of-this-test';
const secrets = ['.env', 'deep/down/server.pem', 'keys'];
const guarded: ProtectRequest = { ...protect, paths: [...protect.paths, ...secrets] };
let bed: CoidBed;

before(async () => {
  bed = await makeCoidBed();
});
after(() => bed?.[Symbol.asyncDispose]());

test(
  'a hidden file is empty in every second mount, even read-only ones; without hiding each shows it',
  limit,
  async () => {
    const { holder, workspace } = await makeWorkspaceWithSecrets();
    const mounts: MountRequest[] = [
      { name: 'again', source: workspace, readonly: false },
      { name: 'again-readonly', source: workspace, readonly: true },
      { name: 'part', source: join(workspace, 'deep'), readonly: false },
      { name: 'holder', source: holder, readonly: true },
    ];
    const ways = [
      'cat /again/.env',
      'cat /again/deep/down/server.pem',
      'cat /again/keys/one',
      'cat /again-readonly/.env',
      'cat /part/down/server.pem',
      'cat /holder/project/.env',
      'cat /holder/project/keys/one',
    ];
    const takenAway = [
      'umount /again/.env; cat /again/.env',
      'mount -o remount,rw /holder; mv /holder/project/.env /holder/moved; cat /holder/moved',
      'exec 9</again; umount -l /again; cd /proc/self/fd/9; umount .env; cat .env; mv .env moved; cat moved',
      'exec 9</part; umount -l /part; cd /proc/self/fd/9; mv down down2; cat down2/server.pem; mv down2 down',
    ];
    const hiding = await bed.session({ workspace, mounts, protect: guarded, secrets });
    const open = await bed.session({
      workspace: (await makeWorkspaceWithSecrets()).workspace,
      mounts: [],
    });
    const other = await bed.sh(hiding.container, 'cat /again/plain /holder/project/plain');
    assert.equal(other.stdout.toString(), `${secret}\n${secret}\n`);
    for (const script of [
      'echo x > /holder/planted',
      'mount -o remount,rw /holder; echo x > /holder/planted',
    ])
      assert.notEqual((await bed.sh(hiding.container, script, 'root')).status, 0, script);
    for (const user of ['agent', 'root'] as const) {
      const tried = [...ways, ...(user === 'root' ? takenAway : [])];
      const withGuard = await runEach(hiding, tried, user);
      for (const [index, way] of tried.entries())
        assert.doesNotMatch(withGuard[index] ?? secret, new RegExp(secret), `${way}, as ${user}`);
    }
    assert.match((await bed.sh(open.container, 'cat /workspace/.env')).stdout.toString(), /secret/);
    // Control: the same mounts with nothing hidden.
    const bare = await bed.session({ workspace, mounts });
    const shown = await runEach(bare, ways, 'agent');
    for (const [index, way] of ways.entries())
      assert.match(shown[index] ?? '', new RegExp(secret), way);
  },
);

test(
  'a directory bound to another host path is recognised by identity, not by name',
  limit,
  async () => {
    const { workspace } = await makeWorkspaceWithSecrets();
    const bound = await bed.directory(uid);
    execFileSync('mount', ['--bind', join(workspace, 'deep'), bound]);
    try {
      const mounts = [{ name: 'bound', source: bound, readonly: false }];
      const hiding = await bed.session({ workspace, mounts, protect: guarded, secrets });
      const { stdout } = await bed.sh(hiding.container, 'cat /bound/down/server.pem');
      assert.equal(stdout.toString(), '');
      const bare = await bed.session({ workspace, mounts });
      const shown = await bed.sh(bare.container, 'cat /bound/down/server.pem');
      assert.match(shown.stdout.toString(), new RegExp(secret));
    } finally {
      execFileSync('umount', [bound]);
    }
  },
);

test(
  'a mount that cannot be covered is refused, naming mount, path and what to do',
  limit,
  async () => {
    const { holder, workspace } = await makeWorkspaceWithSecrets();
    const refused = async (mount: Omit<MountRequest, 'name'>, more: object, sentence: RegExp) => {
      const reserveRequest = bed.request(workspace, [{ name: 'more', ...mount }]);
      await assert.rejects(bed.coid.reserve({ ...reserveRequest, ...more }), (error: Error) => {
        assert.match(`${error.message} ${JSON.stringify(error)}`, sentence);
        return true;
      });
      assert.deepEqual((await bed.mountIds()).length, ids.length, 'nothing is left mounted');
    };
    const ids = await bed.mountIds();
    const hiding = { protect: guarded, secrets };
    const keys = join(workspace, 'keys');
    await refused({ source: keys, readonly: true }, hiding, /keys.* shows "keys", which is hidden/);
    await refused(
      { source: holder, readonly: false },
      hiding,
      /contains the workspace \(at "project"\)/,
    );
    await refused({ source: holder, readonly: false }, { protect }, /contains the workspace/);
    const part = join(workspace, 'part');
    await refused({ source: part, readonly: true }, { secrets }, /could move "\.env" into it/);
    const sealed = { protect: { ...protect, readonlyGit: true } };
    const refs = join(workspace, '.git/refs');
    await refused({ source: refs, readonly: false }, sealed, /\.git, which is read-only/);
    // Controls: the refused actions work if nothing is guarded.
    const bare = await bed.session({
      workspace,
      mounts: [
        { name: 'holder', source: holder, readonly: false },
        { name: 'keys', source: keys, readonly: false },
        { name: 'part', source: part, readonly: false },
        { name: 'refs', source: refs, readonly: false },
      ],
    });
    for (const script of [
      'mv /holder/project /holder/aside && mkdir /holder/project && rmdir /holder/project && mv /holder/aside /holder/project',
      'cat /keys/one',
      'mv /workspace/.env /workspace/part/moved && cat /part/moved && mv /workspace/part/moved /workspace/.env',
      'echo x > /refs/planted && rm /refs/planted',
    ])
      assert.equal((await bed.sh(bare.container, script)).status, 0, script);
  },
);

test(
  'protected paths cannot be changed through a second mount; without protection they can',
  limit,
  async () => {
    const run = async (session: { container: string }, user: 'agent' | 'root') => {
      const worked: string[] = [];
      for (const { name, script } of attacks) {
        const { status } = await bed.sh(session.container, `cd /again && ${script}`, user);
        if (status === 0) worked.push(name);
      }
      return worked;
    };
    const workspace = await makeRepo(bed, uid);
    const mounts = [{ name: 'again', source: workspace, readonly: false }];
    const guardedSession = await bed.session({ workspace, mounts, protect });
    for (const user of ['agent', 'root'] as const)
      assert.deepEqual(await run(guardedSession, user), [], user);
    const bare = await makeRepo(bed, uid);
    const open = await bed.session({
      workspace: bare,
      mounts: [{ name: 'again', source: bare, readonly: false }],
    });
    assert.deepEqual(
      await run(open, 'agent'),
      attacks.map(({ name }) => name),
    );
  },
);

test(
  'with [git] readonly .git cannot be written through a second mount; without it it can',
  limit,
  async () => {
    const scripts = [
      'echo x > /again/.git/objects/planted',
      'echo x > /again/.git/refs/heads/planted',
      'umount /again/.git; echo x > /again/.git/objects/planted',
      'mount -o remount,rw /again/.git; echo x > /again/.git/objects/planted',
    ];
    const workspace = await makeRepo(bed, uid);
    const mounts = [{ name: 'again', source: workspace, readonly: false }];
    const guardedSession = await bed.session({
      workspace,
      mounts,
      protect: { ...protect, readonlyGit: true },
    });
    for (const user of ['agent', 'root'] as const)
      for (const script of scripts)
        assert.notEqual(
          (await bed.sh(guardedSession.container, script, user)).status,
          0,
          `${script}, ${user}`,
        );
    await commit(uid, workspace, 'from the host');
    const bare = await makeRepo(bed, uid);
    const open = await bed.session({
      workspace: bare,
      mounts: [{ name: 'again', source: bare, readonly: false }],
    });
    for (const script of scripts.slice(0, 2))
      assert.equal((await bed.sh(open.container, script)).status, 0, script);
  },
);

test(
  'hidden paths stay hidden in a second mount when coid restores the mounts',
  limit,
  async () => {
    const { workspace } = await makeWorkspaceWithSecrets();
    const mounts = [{ name: 'again', source: workspace, readonly: false }];
    const options = { workspace, mounts, protect: guarded, secrets, persistent: true };
    const { container, id } = await bed.session(options);
    const shows = async () =>
      (await bed.sh(container, 'cat /again/.env; cat /again/plain')).stdout.toString();
    assert.equal(await shows(), `${secret}\n`);
    const stop = await bed.incus.changeState(container, {
      action: 'stop',
      force: true,
      timeout: 30,
    });
    await stop.wait({ timeoutMs: 60_000 });
    const made = await bed.coid.remount(container, { id, startId: randomUUID() });
    assert.deepEqual(
      made.map(({ recursive }) => recursive),
      [true, true],
      id,
    );
    const start = await bed.incus.changeState(container, { action: 'start', timeout: 60 });
    await start.wait({ timeoutMs: 60_000 });
    assert.equal(await shows(), `${secret}\n`);
    // It runs, and its mounts are reported as they are.
    const reported = await bed.coid.remount(container, { id, startId: randomUUID() });
    assert.deepEqual(
      reported.map(({ recursive }) => recursive),
      [true, true],
    );
  },
);

/** A workspace with secrets in a parent directory. */
async function makeWorkspaceWithSecrets(): Promise<{ holder: string; workspace: string }> {
  const holder = await bed.directory(uid);
  const workspace = join(holder, 'project');
  await chownToUser(join(workspace, 'part/file'));
  execFileSync('git', ['init', '--quiet', workspace], { uid, gid: uid, cwd: '/' });
  for (const path of ['.env', 'deep/down/server.pem', 'keys/one', 'plain'])
    await chownToUser(join(workspace, path));
  return { holder, workspace };
}

async function chownToUser(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${secret}\n`);
  for (let at = path; at !== '/tmp' && at.split('/').length > 3; at = dirname(at))
    await chown(at, uid, uid);
}

/** Output of each script, both streams. All in one run, with a mark after each: a lost output is not an empty one. */
async function runEach(
  { container }: { container: string },
  scripts: readonly string[],
  user: 'agent' | 'root',
): Promise<string[]> {
  const marked = scripts.map((script) => `(${script}) 2>&1; echo '#next'`);
  const { stdout, status } = await bed.sh(container, marked.join('\n'), user);
  const parts = stdout.toString().split('#next');
  assert.deepEqual([status, parts.length], [0, scripts.length + 1], stdout.toString());
  return parts;
}
