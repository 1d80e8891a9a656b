// Goal: users get only mounts of files that they can use, and no access through coid that they would not have without it.
// Method: calls by processes of other users to a coid that runs as root.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { coidSocketPath } from '../../src/coid-api/client.ts';
import type { Reservation } from '../../src/coid-api/session-protocol.ts';
import { makeUser, type TestUser } from '../bed/users.ts';
import { type CoidBed, makeCoidBed } from './coid-bed.ts';

const limit = { timeout: 120_000 };
const script = fileURLToPath(new URL('./coid-call.ts', import.meta.url));

interface CallResult {
  readonly ok?: unknown;
  readonly code?: string;
}

type Call = readonly [method: 'reserve' | 'release' | 'remount' | 'status', argument: unknown];

async function calls(
  bed: CoidBed,
  who: TestUser,
  list: readonly Call[],
  how: 'in-turn' | 'at-once' = 'in-turn',
): Promise<CallResult[]> {
  const socket = coidSocketPath(bed.daemon.env);
  const argv = [process.execPath, script, socket, JSON.stringify(list), how];
  const { status, stdout, stderr } = await who.run(argv);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as CallResult[];
}

async function call(bed: CoidBed, who: TestUser, ...one: Call): Promise<CallResult> {
  const [answer] = await calls(bed, who, [one]);
  if (!answer) throw new Error('no answer');
  return answer;
}

async function user(undo: AsyncDisposableStack, incusAdmin = true): Promise<TestUser> {
  return undo.adopt(await makeUser({ incusAdmin }), (made) => made.remove());
}

test('an ordinary user gets their own directory, owned by them', limit, async () => {
  await using undo = new AsyncDisposableStack();
  const bed = undo.use(await makeCoidBed());
  const ann = await user(undo);
  const project = join(ann.home, 'project');
  await ann.run(['mkdir', project]);
  const { ok } = await call(bed, ann, 'reserve', bed.request(project));
  const { ownerUid, ownerGid, mounts } = ok as Reservation;
  assert.deepEqual([ownerUid, ownerGid], [ann.uid, ann.gid]);
  assert.equal(mounts.length, 1);
});

test(
  'a mount that a user cannot access or may not share is refused and leaves nothing',
  limit,
  async () => {
    await using undo = new AsyncDisposableStack();
    const bed = undo.use(await makeCoidBed());
    const [ann, bob] = [await user(undo), await user(undo)];
    await chmod(bob.home, 0o700);
    const bobs = join(bob.home, 'open');
    await mkdir(bobs);
    await chmod(bobs, 0o777);
    const own = join(ann.home, 'project');
    await ann.run(['mkdir', own, join(ann.home, 'closed')]);
    await ann.run(['chmod', '000', join(ann.home, 'closed')]);
    await ann.run(['touch', join(ann.home, 'file')]);
    await symlink('/etc', join(ann.home, 'to-etc'));
    await symlink('/proc/self/cwd', join(ann.home, 'to-cwd'));
    await symlink(bobs, join(ann.home, 'to-bob'));
    const refusedPaths = [
      '/',
      '/etc',
      '/root',
      '/proc/self/root',
      '/run/coi',
      '/var/lib/incus',
      '/home',
    ];
    const inHome = ['to-etc', 'to-cwd', 'to-bob', 'file', 'closed', 'missing'];
    const refused = [
      ...[...refusedPaths, '/dev/shm', '/root/anything', bed.daemon.runDir, bobs],
      ...inHome.map((name) => join(ann.home, name)),
    ];
    const codes = async (requests: readonly unknown[]) => {
      const answers = await calls(
        bed,
        ann,
        requests.map((wish) => ['reserve', wish]),
      );
      return Object.fromEntries(answers.map(({ code }, at) => [refused[at], code]));
    };
    const all = (code: string) => Object.fromEntries(refused.map((path) => [path, code]));
    assert.deepEqual(
      await codes(refused.map((path) => bed.request(path))),
      all('workspace-invalid'),
    );
    const extra = (source: string) => [{ name: 'extra', source, readonly: false }];
    const asMounts = refused.map((path) => bed.request(own, extra(path)));
    assert.deepEqual(await codes(asMounts), all('mount-invalid'));

    assert.deepEqual(await bed.mountIds(), []);
    assert.equal((await bed.coid.status()).leases, 0);
    assert.ok((await call(bed, ann, 'reserve', bed.request(own))).ok);
  },
);

test("a user cannot release or mount another user's session, but root can", limit, async () => {
  await using undo = new AsyncDisposableStack();
  const bed = undo.use(await makeCoidBed());
  const [ann, bob] = [await user(undo), await user(undo)];
  const own = bed.request(await bed.directory(ann.uid));
  const { id } = (await call(bed, ann, 'reserve', own)).ok as Reservation;
  assert.equal((await call(bed, bob, 'release', id)).code, 'session-not-found');
  assert.deepEqual(await bed.mountIds(), [id]);
  assert.equal((await call(bed, ann, 'release', id)).ok, null);
  assert.deepEqual(await bed.mountIds(), []);

  const { container, id: mounts } = await bed.session({ uid: ann.uid, start: false });
  const wanted = { container, id: mounts };
  assert.equal((await call(bed, bob, 'remount', wanted)).code, 'session-not-found');
  assert.equal(
    (await call(bed, ann, 'remount', { container, id: randomUUID() })).code,
    'session-not-found',
  );
  assert.ok((await call(bed, ann, 'remount', wanted)).ok);
  const again = { id: mounts, startId: randomUUID() };
  assert.equal((await bed.coid.remount(container, again)).length, 1);
});

test(
  'users outside the group cannot open the socket, and only root can access the mounts',
  limit,
  async () => {
    await using undo = new AsyncDisposableStack();
    const bed = undo.use(await makeCoidBed());
    const [stranger, member] = [await user(undo, false), await user(undo)];
    assert.equal((await call(bed, stranger, 'status', null)).code, 'coid-unreachable');
    const workspace = await bed.directory(member.uid);
    await chmod(workspace, 0o777);
    const { ok } = await call(bed, member, 'reserve', bed.request(workspace));
    const hostPath = (ok as Reservation).mounts[0]?.hostPath ?? '';
    for (const who of [stranger, member])
      assert.notEqual((await who.run(['ls', hostPath])).status, 0);
  },
);

test('two users with the same workspace path get different slots and ids', limit, async () => {
  await using undo = new AsyncDisposableStack();
  const bed = undo.use(await makeCoidBed());
  const users = [await user(undo), await user(undo)];
  const shared = await bed.directory(0);
  await chmod(shared, 0o755);
  const answers = await Promise.all(
    users.map((who) => call(bed, who, 'reserve', bed.request(shared))),
  );
  const [first, second] = answers.map(({ ok }) => ok as Reservation);
  assert.deepEqual([first?.slot, second?.slot].map(Number).toSorted(), [1, 2]);
  assert.notEqual(first?.idmapBase, second?.idmapBase);
  assert.notEqual(first?.nic.address, second?.nic.address);
});

test('unused reservations run out for one user, not for all', limit, async () => {
  await using undo = new AsyncDisposableStack();
  const bed = undo.use(await makeCoidBed());
  const [ann, bob] = [await user(undo), await user(undo)];
  const mountRequest = (path: string, number: number) => ({
    ...bed.request(path),
    hash: number.toString(16).padStart(8, '0'),
    mounts: [],
  });
  const own = await bed.directory(ann.uid);
  const many = Array.from({ length: 90 }, (_, at): Call => ['reserve', mountRequest(own, at)]);
  const first = await calls(bed, ann, many.slice(0, 50));
  // All of these wait for Incus together: coid's cache is outdated after every change.
  const { container } = await bed.session();
  const controller = new AbortController();
  const changing = (async () => {
    for (let times = 0; !controller.signal.aborted; times += 1)
      await bed.incus.updateInstance(container, { config: { 'user.coit': String(times) } });
  })();
  const atOnce = await calls(bed, ann, many.slice(50), 'at-once').finally(() => controller.abort());
  await changing;
  const answers = [...first, ...atOnce];
  assert.equal(answers.filter(({ ok }) => ok).length, 64);
  assert.equal((await calls(bed, ann, many.slice(0, 1))).at(0)?.code, 'coid-failed');
  assert.ok((await call(bed, bob, 'reserve', mountRequest(await bed.directory(bob.uid), 99))).ok);
});
