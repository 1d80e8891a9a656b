// Goal: a directory of the host that the agent exchanges for a link leads neither coid nor root to what it points at.
// Method: sessions of an ordinary user whose agent plants links where coid looks later: at a stop and start, after a
// reboot of the host, at another session's start, and at the end, when root sweeps and gives back.
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { chmod, chown, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAs } from '../../src/host/fs/open-source.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { type Bed, testImage } from '../bed/bed.ts';
import { mountPointsUnder, untilUnmounted } from '../bed/mounts.ts';
import { testPrefix } from '../bed/prefix.ts';
import { agent, ok, ownDirectory, ownFile, reboot, secret, session, swapBed } from './swap-bed.ts';

const limit = { timeout: 180_000 };
const sessionId = '00000000-0000-4000-8000-000000000001';

const swap = (closed: string) => `cd /workspace && mv sub kept && ln -s ${closed} sub`;

/** The control: whoever opens the name with the user's rights is where the link leads. */
async function leadsTo(bed: Bed, path: string): Promise<string> {
  const { uid, gid } = bed.user;
  const source = openAs(await loadLibc(), { uid, gid, groups: [] }, path);
  closeSync(source.fd);
  return source.path;
}

test(
  'a mount source that the agent made a link is refused when the container starts again',
  limit,
  async () => {
    await using bed = await swapBed();
    const name = await session(bed, '--persistent');
    assert.equal(await agent(bed, name, 'touch /sub/made && ls /sub'), 'made\n');
    await agent(bed, name, swap(bed.closed));
    assert.equal(await leadsTo(bed, join(bed.workspace.path, 'sub')), bed.closed);
    await ok(bed, 'container', 'stop', name, '--force');
    const { status, stderr } = await bed.coi(['container', 'start', name]);
    assert.notEqual(status, 0);
    assert.match(stderr, /sub" .*link/);
    assert.equal((await bed.incus.instance(name))?.instance.status, 'Stopped');

    await bed.user.run(['sh', '-c', `cd ${bed.workspace.path} && rm sub && mv kept sub`]);
    await ok(bed, 'container', 'start', name);
    assert.equal(await agent(bed, name, 'ls /sub'), 'made\n');
  },
);

test(
  'after a reboot of the host coid mounts nothing that the agent made a link',
  limit,
  async () => {
    await using bed = await swapBed();
    const name = await session(bed, '--persistent');
    await agent(bed, name, swap(bed.closed));
    await ok(bed, 'container', 'stop', name, '--force');
    await reboot(bed);
    const points = await mountPointsUnder(bed.coid.runDir);
    assert.deepEqual(
      points.filter((point) => /mount-0$/.test(point)),
      [],
    );
    assert.ok(points.some((point) => /workspace$/.test(point)));
    const start = ['container', 'start', name];
    assert.notEqual((await bed.coi(start)).status, 0);
    await bed.user.run(['sh', '-c', `cd ${bed.workspace.path} && rm sub && mv kept sub`]);
    await ok(bed, ...start);
  },
);

test(
  'a workspace or an extra mount that is another directory now is not mounted again unasked',
  limit,
  async () => {
    await using bed = await swapBed();
    const { home } = bed.user;
    await ownDirectory(bed, join(home, 'data'));
    await ownDirectory(bed, join(home, 'elsewhere'));
    await bed.user.run(['ln', '-s', 'data', join(home, 'link')]);
    const name = await session(bed, '--persistent', '--mount', `${home}/link:/data`);
    await ok(bed, 'container', 'stop', name, '--force');
    await bed.user.run(['ln', '-sfn', 'elsewhere', join(home, 'link')]);
    const refused = await bed.coi(['container', 'start', name]);
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /link".*is not what was mounted/);
    assert.match(refused.stderr, /coi shell/);
    await bed.user.run(['ln', '-sfn', 'data', join(home, 'link')]);
    await ok(bed, 'container', 'start', name);
    await ok(bed, 'container', 'stop', name, '--force');

    await bed.user.run(['ln', '-sfn', 'elsewhere', join(home, 'link')]);
    const again = ['--persistent', '--mount', `${home}/link:/data`];
    const { status, stderr } = await bed.coi([
      'shell',
      '--image',
      testImage,
      '--background',
      ...again,
    ]);
    assert.equal(status, 0, stderr);
    await agent(bed, name, 'touch /data/there');
    assert.deepEqual(await readdir(join(home, 'elsewhere')), ['there']);
  },
);

test(
  'a link in a live workspace of another session is not followed for --mount; a link of the user is',
  limit,
  async () => {
    await using bed = await swapBed();
    const { home } = bed.user;
    const first = await session(bed);
    await agent(bed, first, swap(bed.closed));
    const project = join(home, 'project');
    await ownDirectory(bed, project);
    await bed.user.run(['ln', '-s', bed.closed, join(home, 'own-link')]);
    const shell = (source: string) =>
      bed.coi(['run', '--image', testImage, '--mount', `${source}:/x`, '--', 'cat', '/x/secret'], {
        cwd: project,
      });
    const planted = await shell(join(bed.workspace.path, 'sub'));
    assert.notEqual(planted.status, 0);
    assert.match(planted.stderr, /sub" leads through the link/);
    assert.doesNotMatch(planted.stdout, /only for the user/);
    const own = await shell(join(home, 'own-link'));
    assert.equal(own.status, 0, own.stderr);
    assert.equal(own.stdout, secret);
  },
);

test(
  'the sweep at the end and the giving back of files do not follow what the agent made a link',
  limit,
  async () => {
    await using bed = await swapBed();
    const system = await mkdtemp(`/tmp/${testPrefix}-system-`);
    await using _undo = { [Symbol.asyncDispose]: () => rm(system, { recursive: true }) };
    await chmod(system, 0o755);
    const name = await session(bed);
    const base = Number((await bed.incus.instance(name))?.instance.config['security.idmap.base']);
    const program = join(system, 'program');
    await writeFile(program, '#!/bin/sh\n');
    await chown(program, base, base);
    await chmod(program, 0o4755);
    await agent(
      bed,
      name,
      `${swap(system)} && cp /bin/true /workspace/made && chmod 4755 /workspace/made`,
    );
    assert.equal(await leadsTo(bed, join(bed.workspace.path, 'sub')), system);
    await ok(bed, 'kill', name);
    await untilUnmounted(bed.coid.runDir);
    const handoff = await bed.coi(['handoff']);
    const { uid, mode } = await stat(program);
    assert.deepEqual([uid, mode & 0o7777], [base, 0o4755]);
    assert.equal((await stat(join(bed.workspace.path, 'made'))).mode & 0o7777, 0o755);
    // The directory that was mounted is looked at where it lies now; what leads out of the workspace is told.
    const told = handoff.stdout + handoff.stderr;
    assert.match(told, /^sub +a link that leads out of the workspace/m);
    assert.doesNotMatch(told, /Not looked at/);
  },
);

test(
  'no proxy and no device of Incus leads through what an agent writes: Incus follows the name as root',
  limit,
  async () => {
    await using bed = await swapBed();
    const name = await session(bed, '--persistent');
    const { path } = bed.workspace;
    const device = ['container', 'mount', name, 'extra'];
    const planted = await bed.coi([...device, join(path, 'sub'), '/mnt/extra', '--readonly']);
    assert.notEqual(planted.status, 0);
    assert.match(planted.stderr, /a session can put a link/);
    await ok(bed, ...device, path, '/mnt/extra', '--readonly');

    const sockets = `[[sockets]]\nhost = "${path}/sub/socket"\ncontainer = "/run/s"\n`;
    await ownFile(bed, join(bed.user.home, '.coi/config.toml'), sockets);
    const refused = await bed.coi(['run', '--image', testImage, '--', 'true']);
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /the agent can put a link to another socket in its place/);
  },
);

test(
  'a prompt file that the agent made a link to a file of the user is not read to it',
  limit,
  async () => {
    await using bed = await swapBed();
    const name = await session(bed);
    await agent(bed, name, `ln -s ${bed.closed}/secret /workspace/prompt.md`);
    const spec = ['tool', 'spec', '--container', 'c', '--session-id', sessionId, '--prompt-file'];
    const planted = await bed.coi([...spec, join(bed.workspace.path, 'prompt.md')]);
    assert.notEqual(planted.status, 0);
    assert.doesNotMatch(planted.stdout, /only for the user/);
    assert.match(planted.stderr, /leads over a symbolic link out of a directory/);
    const own = await bed.coi([...spec, join(bed.closed, 'secret')]);
    assert.match(own.stdout, /only for the user/, own.stderr);
    const push = ['file', 'push', join(bed.workspace.path, 'prompt.md'), `${name}:/tmp/x`];
    const pushed = await bed.coi(push);
    assert.notEqual(pushed.status, 0);
    assert.match(pushed.stderr, /leads over a symbolic link/);
  },
);

test(
  'a workspace that the user reaches through a link, and a linked mount source, work at every start',
  limit,
  async () => {
    await using bed = await swapBed();
    const { home } = bed.user;
    await ownDirectory(bed, join(home, 'data'));
    await bed.user.run(['ln', '-s', bed.workspace.path, join(home, 'linked')]);
    await bed.user.run(['ln', '-s', 'data', join(home, 'link')]);
    const asked = ['--persistent', '--workspace', join(home, 'linked')];
    const name = await session(bed, ...asked, '--mount', `${home}/link:/data`);
    await agent(bed, name, 'touch /workspace/one /data/one /sub/one');
    await ok(bed, 'container', 'stop', name, '--force');
    await ok(bed, 'container', 'start', name);
    await agent(bed, name, 'ls /workspace/one /data/one /sub/one');
    await ok(bed, 'container', 'stop', name, '--force');
    await reboot(bed);
    await ok(bed, 'container', 'start', name);
    await agent(bed, name, 'ls /workspace/one /data/one /sub/one');
    await ok(bed, 'container', 'stop', name, '--force');
    const again = ['shell', '--image', testImage, '--background', ...asked];
    await ok(bed, ...again, '--mount', `${home}/link:/data`);
    await agent(bed, name, 'ls /workspace/one /data/one /sub/one');

    await ok(bed, 'snapshot', 'create', 'first', '-c', name);
    await ok(bed, 'container', 'stop', name, '--force');
    await ok(bed, 'snapshot', 'restore', 'first', '--force', '-c', name);
    await ok(bed, 'container', 'start', name);
    await agent(bed, name, 'ls /workspace/one /data/one /sub/one');
    await ok(bed, 'fork', name, '--background');
  },
);
