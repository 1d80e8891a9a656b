// coi container through the built program: exit statuses, streams, and what other host users can see of a command.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 120_000;
let bed: Bed;
let name: string;

before(async () => {
  bed = await makeBed();
  name = `${bed.prefix}low`;
  const output = await bed.coi(['container', 'launch', bed.image, name]);
  assert.equal(output.status, 0, output.stderr);
});
after(async () => bed?.[Symbol.asyncDispose]());

const container = (...args: string[]) => bed.coi(['container', ...args]);

test('coi container exists and running answer by exit status without output', {
  timeout,
}, async () => {
  for (const [args, status] of [
    [['exists', name], 0],
    [['running', name], 0],
    [['exists', `${name}-not`], 1],
    [['running', `${name}-not`], 1],
    [['exists', '../../etc'], 1],
  ] as const) {
    const output = await container(...args);
    assert.deepEqual(
      [output.status, output.stdout, output.stderr],
      [status, '', ''],
      args.join(' '),
    );
  }
});

test('coi container exec passes stdin, stdout and stderr through byte for byte', {
  timeout,
}, async () => {
  const bytes = randomBytes(300_000).toString('base64');
  const output = await bed.coi(
    ['container', 'exec', name, '--', 'sh', '-c', 'cat; echo note >&2'],
    {
      input: bytes,
    },
  );
  assert.equal(output.status, 0, output.stderr);
  assert.equal(output.stdout, bytes);
  assert.equal(output.stderr, 'note\n');
});

test('coi container exec runs as root in the workspace or the given directory, with the given variables', {
  timeout,
}, async () => {
  const script = 'id -u; id -g; pwd; echo "$WORD"';
  const plain = await container('exec', name, '--', 'sh', '-c', script);
  assert.equal(plain.stdout, '0\n0\n/\n\n');
  const flags = ['--user', '1000', '--group', '27', '--cwd', '/tmp', '--env', "WORD=it's $HOME\nx"];
  const other = await container('exec', name, ...flags, '--', 'sh', '-c', script);
  assert.equal(other.stdout, "1000\n27\n/tmp\nit's $HOME\nx\n", other.stderr);
});

test('a failing exec is an error without --capture and a result with it', {
  timeout,
}, async () => {
  const script = ['--', 'sh', '-c', 'printf out; printf err >&2; exit 7'];
  const plain = await container('exec', name, ...script);
  assert.equal(plain.status, 1);
  assert.match(plain.stderr, /^errError: command failed: exit status 7$/m);
  const json = await container('exec', name, '--capture', ...script);
  assert.equal(json.status, 0);
  assert.deepEqual(JSON.parse(json.stdout), { stdout: 'out', stderr: 'err', exit_code: 7 });
  const raw = await container('exec', name, '--capture', '--format', 'raw', ...script);
  assert.deepEqual([raw.status, raw.stdout], [7, 'out']);
});

test('a failing shell of the image is reported with its output, and long output is waited for', {
  timeout,
}, async () => {
  const inside = async (...command: string[]) =>
    (await bed.incus.execCaptured(name, { command: ['bash', '-c', ...command] })).status;
  const shell = async (lines: string) => {
    // The bed's own commands get a working one.
    const text = `#!/bin/bash\n[ "$3" = coi-run ] || exec /bin/sh "$@"\n${lines}\n`;
    const script = `printf '%s' "$1" > /usr/local/sbin/sh && chmod 755 /usr/local/sbin/sh`;
    assert.equal(await inside(script, 'x', text), 0);
  };
  try {
    await shell('echo this shell is broken >&2; exit 3');
    const startedMs = performance.now();
    const failed = await container('exec', name, '--', 'true');
    assert.notEqual(failed.status, 0);
    assert.match(failed.stderr, /the starter ended with status 3: this shell is broken$/m);
    assert.ok(performance.now() - startedMs < 20_000, 'unread output is not waited for');
    await shell('head -c 2000000 /dev/zero | tr \'\\0\' x >&2; echo >&2; exec /bin/sh "$@"');
    const output = await container('exec', name, '--', '/bin/sh', '-c', 'echo out; echo err >&2');
    assert.deepEqual([output.status, output.stdout], [0, 'out\n'], output.stderr.slice(-200));
    assert.match(output.stderr, /^x+\nerr\n$/);
  } finally {
    await inside('rm -f /usr/local/sbin/sh');
  }
});

test('--capture=true and flags after the name work as in the predecessor; wrong combinations are refused', {
  timeout,
}, async () => {
  const output = await container(
    'exec',
    '--capture=true',
    name,
    '--format=raw',
    '--',
    'echo',
    '-n',
    '--x',
  );
  assert.equal(output.stdout, '--x', output.stderr);
  for (const args of [
    ['--format', 'raw'],
    ['--capture', '--tty'],
    ['--user', 'root'],
    ['--env', 'NO-NAME'],
    ['--capture', '--format', 'xml'],
  ])
    assert.equal((await container('exec', name, ...args, '--', 'true')).status, 2, args.join(' '));
  assert.equal((await container('exec', name)).status, 2);
  assert.equal((await container('exec', `${name}-not`, '--', 'true')).status, 1);
});

test('values that exec hands over appear in no event or command line on the host', {
  timeout,
}, async () => {
  const [inArgument, inVariable] = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')];
  const events = bed.incus.events(['lifecycle']);
  await events.ready;
  const script = `: ${inArgument}; mkfifo /tmp/held; exec cat /tmp/held`;
  const flags = ['--env', `T=${inVariable}`];
  const running = bed.startCoi(['container', 'exec', name, ...flags, '--', 'sh', '-c', script]);
  for await (const event of events) {
    if (event.type !== 'lifecycle' || !event.metadata.source.includes(name)) continue;
    if (event.metadata.action !== 'instance-exec') continue;
    assert.match(JSON.stringify(event), /coi-run/);
    assert.doesNotMatch(JSON.stringify(event), new RegExp(`${inArgument}|${inVariable}`));
    break;
  }
  const lines = await commandLines();
  assert.ok(lines.some((line) => line.includes('forkexec') && line.includes(name)));
  // The caller's own command line does not count.
  const others = lines.filter((line) => !line.includes('container\0exec'));
  assert.deepEqual(
    others.filter((line) => line.includes(inVariable)),
    [],
  );
  await bed.incus.execCaptured(name, {
    command: ['sh', '-c', 'until [ -p /tmp/held ]; do sleep 0.05; done; echo go >/tmp/held'],
  });
  assert.equal((await running.result).stdout, 'go\n');
});

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}

test('exec -t opens a terminal and hands values over invisibly', { timeout }, async () => {
  const screen = bed.screen([
    'container',
    'exec',
    '-t',
    name,
    '--env',
    'T=hidden-word',
    '--',
    'sh',
    '-c',
    'test -t 0 && echo "tty of $T" | tr h-w H-W; stty -a | tr " ;" "\\n\\n" | grep -x echo',
  ]);
  await screen.waitFor(/Tty Of|TTY OF/i);
  await screen.waitFor(/HIddeN-WORd/);
  assert.ok(!screen.text().includes('hidden-word'));
});

test('coi container mount, stop, start, list, info and delete work', { timeout }, async () => {
  const directory = join(bed.workspace.path, 'with space');
  await mkdir(directory);
  await writeFile(join(directory, 'word'), 'mounted');
  const mounted = await container('mount', name, 'extra', 'with space', '/mnt/extra', '--readonly');
  assert.equal(mounted.status, 0, mounted.stderr);
  const read = await container('exec', name, '--', 'cat', '/mnt/extra/word');
  assert.equal(read.stdout, 'mounted');
  const refused = await container('delete', name);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /not stopped[\s\S]*--force/);
  assert.equal((await container('stop', name, '--force')).status, 0);
  assert.equal((await container('running', name)).status, 1);
  assert.equal((await container('exec', name, '--', 'true')).status, 1);
  assert.equal((await container('start', name)).status, 0);
  assert.equal((await container('running', name)).status, 0);
  const rows = JSON.parse((await container('list', '--format', 'json')).stdout) as {
    name: string;
    status: string;
  }[];
  assert.equal(rows.find((row) => row.name === name)?.status, 'Running');
  assert.match(
    (await container('list')).stdout,
    new RegExp(`^NAME .*\\n[\\s\\S]*${name} +RUNNING`),
  );
  assert.match(
    (await container('info', name)).stdout,
    new RegExp(`^Name: ${name}\nStatus: Running$`, 'm'),
  );
  assert.equal(JSON.parse((await container('info', name, '--json')).stdout).name, name);
  assert.equal((await container('delete', name, '-f')).status, 0);
  assert.deepEqual(await bed.instances(), []);
  assert.equal(await readFile(join(directory, 'word'), 'utf8'), 'mounted');
});
