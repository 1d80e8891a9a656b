// Goal: nothing of the host is accessible from a session, and the host's kernel and terminals cannot be controlled from it.
// Method: probes as container root in a session of the built program; the control is the result of the same probe on the host.
import assert from 'node:assert/strict';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { coiPath } from '../bed/program.ts';
import { entryWatcher } from './probes.ts';

const timeout = 120_000;
const secret = 'value-that-only-the-agent-gets';
const hostOnly = {
  AWS_SECRET_ACCESS_KEY: 'host-1',
  GITHUB_TOKEN: 'host-2',
  SSH_AUTH_SOCK: '/tmp/host-3',
  TMUX: '/tmp/tmux-0/host-4,1,0',
  XDG_RUNTIME_DIR: '/run/host-5',
};
let bed: Bed;
let name: string;
let initPid: number;

before(async () => {
  bed = await makeBed();
  const args = ['shell', '--image', bed.image, '--background', '--env', `COI_TEST=${secret}`];
  const result = await bed.coi(args, { env: hostOnly });
  assert.equal(result.status, 0, result.stderr);
  [name = ''] = await bed.instances();
  initPid = (await bed.incus.instanceState(name)).pid;
});
after(async () => bed?.[Symbol.asyncDispose]());

test('container root is unprivileged on the host, in its own id range', () => {
  const [inside, outside, count] = mapOf(initPid);
  assert.ok(inside === 0 && outside > 65_535 && count <= 65_536, `${outside} ${count}`);
  // Control: this process is real root.
  assert.deepEqual(mapOf(process.pid).slice(0, 2), [0, 0]);
});

test("no process has the host's environment, and only the agent has the agent's variables", {
  timeout,
}, async () => {
  const result = await root('cat /proc/[0-9]*/environ | tr "\\0" "\\n"');
  for (const value of Object.values(hostOnly)) assert.ok(!result.stdout.includes(value), value);
  assert.ok(!(await root('cat /proc/1/environ')).stdout.includes(secret));
  const { stdout } = await root(`grep -lsa ${secret} /proc/[0-9]*/environ | wc -l`);
  assert.ok(Number(stdout) > 0, 'the agent has it');
  const config = JSON.stringify((await bed.incus.instance(name))?.instance);
  assert.ok(!config.includes(secret) && !config.includes('host-'));
});

test("no socket of Incus, coid or the host's tmux is inside", { timeout }, async () => {
  const { stdout } = await root(
    'ls -d /dev/incus /dev/lxd /run/coi /var/lib/incus /run/incus /tmp/tmux-0 2>/dev/null; true',
  );
  assert.equal(stdout, '');
  assert.ok(existsSync('/var/lib/incus') && existsSync(bed.coid.runDir));
});

test("the host's kernel settings that host root can write are read-only for container root", {
  timeout,
}, async () => {
  // "h" only prints help if it ever gets through.
  const orders: Readonly<Record<string, string>> = {
    '/proc/sys/kernel/core_pattern': '|/bin/false',
    '/proc/sys/kernel/modprobe': '/bin/false',
    '/proc/sys/vm/overcommit_memory': '0',
    '/proc/sysrq-trigger': 'h',
    '/sys/kernel/uevent_helper': '/bin/false',
    '/sys/power/state': 'none',
  };
  for (const [path, text] of Object.entries(orders)) {
    if (existsSync(path)) accessSync(path, constants.W_OK);
    const before = contentOf(path);
    const { status } = await root(`echo '${text}' > ${path}`);
    assert.notEqual(status, 0, path);
    assert.equal(contentOf(path), before, path);
  }
  const mounts = [
    'mkdir -p /tmp/c && mount -t cgroup -o devices none /tmp/c && echo /x > /tmp/c/release_agent',
    'mkdir -p /tmp/d && mount -t debugfs none /tmp/d',
    'mkdir -p /tmp/b && for i in 0 1; do mknod /tmp/b/$i b 7 $i && dd if=/tmp/b/$i of=/dev/null count=1 && exit 0; done; exit 1',
    'insmod /nonexistent || perl -e "exit(syscall(313, 0, 0, 0) == 0 ? 0 : 1)"',
  ];
  for (const script of mounts) assert.notEqual((await root(script)).status, 0, script);
});

test('an exec has no host descriptor except its own three', { timeout }, async () => {
  const { stdout } = await root('for fd in /proc/$$/fd/*; do readlink $fd; done');
  for (const target of stdout.trim().split('\n'))
    assert.match(target, /^(?:pipe:|socket:|\/dev\/(?:null|pts\/)|\/proc\/\d+\/fd)/, target);
});

test('the host program that enters the container for an exec is not writable and reveals nothing of the host', {
  timeout,
}, async () => {
  const watched = root(entryWatcher);
  for (let execs = 0; execs < 25; execs += 1) await root('true');
  const { stdout, stderr } = await watched;
  const { entering = 0, ...caught } = JSON.parse(stdout) as Record<string, number>;
  // It was seen briefly each time.
  assert.ok(entering > 0, `${stdout} ${stderr}`);
  assert.deepEqual(caught, { root: 0, writable: 0 });
});

test("input pushed into the session's terminal does not appear on the host's", {
  timeout,
}, async () => {
  const shell = bed.command(['sh', '-i'], { env: { PS1: 'host> ' } });
  await shell.waitFor(/host> *$/);
  const pushed = (mark: string) =>
    [
      `perl -e 'ioctl(STDIN, 0x5412, $_) or exit 9 for split //, q(echo ${mark}-$((40 + 2))) . "\\n"'`,
      new RegExp(`${mark}-42`),
    ] as const;
  // Control: a program on the host's own terminal.
  const [onHost, hostSays] = pushed('host');
  shell.type(`${onHost}\r`);
  await shell.waitFor(hostSays);
  shell.type(`${coiPath()} attach ${name} --bash\r`);
  await shell.waitFor(/code@\S+\$ *$/m);
  const [inside, insideSays] = pushed('inside');
  shell.type(`${inside}; sleep 1\r`);
  await shell.waitFor(insideSays);
  const [last, lastSays] = pushed('last');
  shell.type(`exec ${last}\r`);
  await shell.waitUntil('the host again', () => /host> *$/.test(shell.text()));
  shell.type('echo done\r');
  await shell.waitFor(/^done/m);
  assert.doesNotMatch(shell.history(), lastSays);
});

test('session names and output cannot control the terminal that lists or captures them', {
  timeout,
}, async () => {
  const evil = '\u001b]0;owned\u0007\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u009b31m';
  await bed.incus.writeFile(name, '/tmp/evil', Buffer.from(evil), { mode: 0o644, uid: 0, gid: 0 });
  // Control: the text is unfiltered, and a terminal would obey it.
  assert.equal((await root('cat /tmp/evil')).stdout, evil);
  await root('logger -f /tmp/evil 2>/dev/null; hostname "$(cat /tmp/evil)" 2>/dev/null; true');
  await bed.incus.updateInstance(name, {
    config: {
      'user.coi.alert': JSON.stringify({
        level: 'high',
        title: `title ${evil}`,
        description: evil,
        time: '2026-01-01T00:00:00Z',
        action: 'alerted',
      }),
      'user.coi.alias': `a${evil}`,
    },
  });
  await bed.coi(['tmux', 'send', name, 'cat /tmp/evil']);
  const commands = [
    ['list'],
    ['tmux', 'capture', name],
    ['logs', name],
    ['network', 'log', name],
    ['audit', name],
    ['handoff'],
    ['monitor', name],
    ['top'],
    ['info'],
  ];
  for (const args of commands) {
    const { stdout, stderr } = await bed.coi(args);
    assert.doesNotMatch(stdout + stderr, /\u001b\]|\u0007|\u009b|\u001b\[2J/, args.join(' '));
  }
});

function root(script: string) {
  return sh(script, 0);
}

async function sh(script: string, user: number) {
  const request = { command: ['sh', '-c', script], user, group: user };
  const { status, stdout, stderr } = await bed.incus.execCaptured(name, request);
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

function mapOf(pid: number): [number, number, number] {
  const words = readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/).map(Number);
  return [words[0] ?? -1, words[1] ?? -1, words[2] ?? -1];
}

/** Empty for a write-only file. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
