// Container processes that block kernel reads about them: they wait for a file system that a program in the container serves,
// while they hold a lock of their own. Only aborting that FUSE connection releases them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { abortConnection, connectionsOwnedBy, withFuseControl } from '../../src/host/linux/fuse.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { readText } from '../../src/host/linux/proc-file.ts';
import { Allowance, runToEnd } from '../../src/host/proc/allowance.ts';
import { cgroupsByName } from '../../src/host/proc/cgroups.ts';
import { ProcessList } from '../../src/host/proc/process-list.ts';
import type { Incus } from '../../src/incus/client.ts';
import { sessionRecord } from '../../src/session/record/instance-record.ts';

/** umount2(2). */
const umount2Number = process.arch === 'arm64' ? 39 : 166;

/** Serves one file; `victim` runs in a child, `held` handles the request that the child then waits for. */
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

/** Per lock: a /proc file that needs it, and a server that prints the victim's pid once it is blocked. */
export const blockingServers = {
  // A page whose first read failed is read again with the lock held. A writer that waits for the lock blocks readers.
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
  // A file is closed during an exec, which waits for the answer.
  exec: {
    file: 'io',
    script: server(
      "fcntl($file, F_SETFD, FD_CLOEXEC); exec '/bin/sleep', '1000';",
      String.raw`elsif ($opcode == 25) { print "$child\n" }`,
    ),
  },
  // Like `exec`, with the file system no longer mounted.
  detached: {
    file: 'io',
    script: server(
      "fcntl($file, F_SETFD, FD_CLOEXEC); exec '/bin/sleep', '1000';",
      String.raw`elsif ($opcode == 25) {
    my $path = '/mnt/f';
    syscall(${umount2Number}, $path, 2) == 0 or die "umount: $!";
    print "$child\n";
  }`,
    ),
  },
} as const;

export interface BlockedProcess extends AsyncDisposable {
  /** Host pid of the blocked process. */
  readonly pid: number;
}

/** Blocks a process of the container. Use with `using`: nothing else releases it, or lets the container end. */
export async function blockProcess(
  incus: Incus,
  container: string,
  script: string,
): Promise<BlockedProcess> {
  const record = sessionRecord((await incus.instance(container))?.instance.config ?? {});
  assert.ok(record);
  const libc = await loadLibc();
  await using undo = new AsyncDisposableStack();
  undo.defer(() =>
    withFuseControl(libc, async (control) => {
      const ids = { first: record.mounts.idmapBase, count: 65_536 };
      for (const one of connectionsOwnedBy(ids, control)) abortConnection(control, one);
    }),
  );
  const run = (line: string) =>
    incus.execCaptured(container, { command: ['sh', '-c', line] }, { timeoutMs: 60_000 });
  await run(
    `cat > /root/server.pl <<'end'\n${script}\nend\nsetsid perl /root/server.pl </dev/null >/root/said 2>&1 &`,
  );
  const result = await run('until grep -q . /root/said; do sleep 0.1; done; cat /root/said');
  const inner = Number(result.stdout.toString());
  assert.ok(inner > 0, result.stdout.toString());
  const pid = hostPid(container, inner);
  const resources = undo.move();
  return { pid, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Host pid of a process in the container. Reads only `status`, which a blocked process does not lock. */
function hostPid(container: string, inner: number): number {
  const groups = cgroupsByName(container);
  assert.ok(groups);
  const list = runToEnd(new ProcessList(groups).read(new Allowance()));
  const own = new RegExp(`^NSpid:\\t\\d+\\t${inner}$`, 'm');
  const pid = list?.pids.find((one) => own.test(readText(`/proc/${one}/status`) ?? ''));
  assert.ok(pid !== undefined, `no process ${inner} in ${container}`);
  return pid;
}

/** Whether the file can be read within two seconds; the reader is killed then. */
export function isReadable(pid: number, file: string): Promise<boolean> {
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
