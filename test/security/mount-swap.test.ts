// Goal: a host directory that the agent swaps for a link does not redirect coid or root to the link's target.
// Method: sessions of an ordinary user whose agent plants links in paths that coid uses later: at a stop and start, after a
// host reboot, at another session's start, and at the end, when root sweeps and changes owners.
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { chmod, chown, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAs } from '../../src/host/fs/open-mount-source.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { type Bed, testImage } from '../bed/bed.ts';
import { mountPointsUnder, untilUnmounted } from '../bed/mounts.ts';
import { testPrefix } from '../bed/prefix.ts';
import {
  makeSwapBed,
  mustCoi,
  ownDirectory,
  ownFile,
  reboot,
  runAsAgent,
  secret,
  startSession,
} from './swap-bed.ts';

const limit = { timeout: 180_000 };
const sessionId = '00000000-0000-4000-8000-000000000001';

const swap = (closed: string) => `cd /workspace && mv sub kept && ln -s ${closed} sub`;

/** Control: opening the name with the user's rights follows the link. */
async function linkTarget(bed: Bed, path: string): Promise<string> {
  const { uid, gid } = bed.user;
  const source = openAs(await loadLibc(), { uid, gid, groups: [] }, path);
  closeSync(source.fd);
  return source.path;
}

test(
  'a mount source that the agent replaced by a link is refused when the container restarts',
  limit,
  async () => {
    await using bed = await makeSwapBed();
    const name = await startSession(bed, '--persistent');
    assert.equal(await runAsAgent(bed, name, 'touch /sub/made && ls /sub'), 'made\n');
    await runAsAgent(bed, name, swap(bed.closed));
    assert.equal(await linkTarget(bed, join(bed.workspace.path, 'sub')), bed.closed);
    await mustCoi(bed, 'container', 'stop', name, '--force');
    const { status, stderr } = await bed.coi(['container', 'start', name]);
    assert.notEqual(status, 0);
    assert.match(stderr, /sub" .*link/);
    assert.equal((await bed.incus.instance(name))?.instance.status, 'Stopped');

    await bed.user.run(['sh', '-c', `cd ${bed.workspace.path} && rm sub && mv kept sub`]);
    await mustCoi(bed, 'container', 'start', name);
    assert.equal(await runAsAgent(bed, name, 'ls /sub'), 'made\n');
  },
);

test(
  'after a host reboot coid does not mount a source that the agent replaced by a link',
  limit,
  async () => {
    await using bed = await makeSwapBed();
    const name = await startSession(bed, '--persistent');
    await runAsAgent(bed, name, swap(bed.closed));
    await mustCoi(bed, 'container', 'stop', name, '--force');
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
    await mustCoi(bed, ...start);
  },
);

test(
  'a workspace or extra mount that is now another directory is not remounted automatically',
  limit,
  async () => {
    await using bed = await makeSwapBed();
    const { home } = bed.user;
    await ownDirectory(bed, join(home, 'data'));
    await ownDirectory(bed, join(home, 'elsewhere'));
    await bed.user.run(['ln', '-s', 'data', join(home, 'link')]);
    const name = await startSession(bed, '--persistent', '--mount', `${home}/link:/data`);
    await mustCoi(bed, 'container', 'stop', name, '--force');
    await bed.user.run(['ln', '-sfn', 'elsewhere', join(home, 'link')]);
    const refused = await bed.coi(['container', 'start', name]);
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /link".*is not the directory that was mounted/);
    assert.match(refused.stderr, /coi shell/);
    await bed.user.run(['ln', '-sfn', 'data', join(home, 'link')]);
    await mustCoi(bed, 'container', 'start', name);
    await mustCoi(bed, 'container', 'stop', name, '--force');

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
    await runAsAgent(bed, name, 'touch /data/there');
    assert.deepEqual(await readdir(join(home, 'elsewhere')), ['there']);
  },
);

test(
  "--mount does not follow a link in another session's live workspace, but follows the user's",
  limit,
  async () => {
    await using bed = await makeSwapBed();
    const { home } = bed.user;
    const first = await startSession(bed);
    await runAsAgent(bed, first, swap(bed.closed));
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
  'the final sweep and the ownership change do not follow links of the agent',
  limit,
  async () => {
    await using bed = await makeSwapBed();
    const system = await mkdtemp(`/tmp/${testPrefix}-system-`);
    await using _undo = { [Symbol.asyncDispose]: () => rm(system, { recursive: true }) };
    await chmod(system, 0o755);
    const name = await startSession(bed);
    const base = Number((await bed.incus.instance(name))?.instance.config['security.idmap.base']);
    const program = join(system, 'program');
    await writeFile(program, '#!/bin/sh\n');
    await chown(program, base, base);
    await chmod(program, 0o4755);
    await runAsAgent(
      bed,
      name,
      `${swap(system)} && cp /bin/true /workspace/made && chmod 4755 /workspace/made`,
    );
    assert.equal(await linkTarget(bed, join(bed.workspace.path, 'sub')), system);
    await mustCoi(bed, 'kill', name);
    await untilUnmounted(bed.coid.runDir);
    const handoff = await bed.coi(['handoff']);
    const { uid, mode } = await stat(program);
    assert.deepEqual([uid, mode & 0o7777], [base, 0o4755]);
    assert.equal((await stat(join(bed.workspace.path, 'made'))).mode & 0o7777, 0o755);
    // The mounted directory is checked at its current path; links out of the workspace are reported.
    const reported = handoff.stdout + handoff.stderr;
    assert.match(reported, /^sub +a link that leads out of the workspace/m);
    assert.doesNotMatch(reported, /Not checked/);
  },
);

test(
  'no Incus proxy or device uses a path that an agent can write, since Incus follows it as root',
  limit,
  async () => {
    await using bed = await makeSwapBed();
    const name = await startSession(bed, '--persistent');
    const { path } = bed.workspace;
    const device = ['container', 'mount', name, 'extra'];
    const planted = await bed.coi([...device, join(path, 'sub'), '/mnt/extra', '--readonly']);
    assert.notEqual(planted.status, 0);
    assert.match(planted.stderr, /a session can replace/);
    await mustCoi(bed, ...device, path, '/mnt/extra', '--readonly');

    const sockets = `[[sockets]]\nhost = "${path}/sub/socket"\ncontainer = "/run/s"\n`;
    await ownFile(bed, join(bed.user.home, '.coi/config.toml'), sockets);
    const refused = await bed.coi(['run', '--image', testImage, '--', 'true']);
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /the agent can replace .* with a link to another socket/);
  },
);

test(
  "a prompt file that the agent replaced by a link to a user's file is not read",
  limit,
  async () => {
    await using bed = await makeSwapBed();
    const name = await startSession(bed);
    await runAsAgent(bed, name, `ln -s ${bed.closed}/secret /workspace/prompt.md`);
    const spec = ['tool', 'spec', '--container', 'c', '--session-id', sessionId, '--prompt-file'];
    const planted = await bed.coi([...spec, join(bed.workspace.path, 'prompt.md')]);
    assert.notEqual(planted.status, 0);
    assert.doesNotMatch(planted.stdout, /only for the user/);
    assert.match(planted.stderr, /follows a symbolic link out of a directory/);
    const own = await bed.coi([...spec, join(bed.closed, 'secret')]);
    assert.match(own.stdout, /only for the user/, own.stderr);
    const push = ['file', 'push', join(bed.workspace.path, 'prompt.md'), `${name}:/tmp/x`];
    const pushed = await bed.coi(push);
    assert.notEqual(pushed.status, 0);
    assert.match(pushed.stderr, /follows a symbolic link/);
  },
);

test(
  "a workspace behind the user's link and a linked mount source work at every start",
  limit,
  async () => {
    await using bed = await makeSwapBed();
    const { home } = bed.user;
    await ownDirectory(bed, join(home, 'data'));
    await bed.user.run(['ln', '-s', bed.workspace.path, join(home, 'linked')]);
    await bed.user.run(['ln', '-s', 'data', join(home, 'link')]);
    const args = ['--persistent', '--workspace', join(home, 'linked')];
    const name = await startSession(bed, ...args, '--mount', `${home}/link:/data`);
    await runAsAgent(bed, name, 'touch /workspace/one /data/one /sub/one');
    await mustCoi(bed, 'container', 'stop', name, '--force');
    await mustCoi(bed, 'container', 'start', name);
    await runAsAgent(bed, name, 'ls /workspace/one /data/one /sub/one');
    await mustCoi(bed, 'container', 'stop', name, '--force');
    await reboot(bed);
    await mustCoi(bed, 'container', 'start', name);
    await runAsAgent(bed, name, 'ls /workspace/one /data/one /sub/one');
    await mustCoi(bed, 'container', 'stop', name, '--force');
    const again = ['shell', '--image', testImage, '--background', ...args];
    await mustCoi(bed, ...again, '--mount', `${home}/link:/data`);
    await runAsAgent(bed, name, 'ls /workspace/one /data/one /sub/one');

    await mustCoi(bed, 'snapshot', 'create', 'first', '-c', name);
    await mustCoi(bed, 'container', 'stop', name, '--force');
    await mustCoi(bed, 'snapshot', 'restore', 'first', '--force', '-c', name);
    await mustCoi(bed, 'container', 'start', name);
    await runAsAgent(bed, name, 'ls /workspace/one /data/one /sub/one');
    await mustCoi(bed, 'fork', name, '--background');
  },
);
