// coi-status.sh, the program with which agents say what they do, run with the host's sh.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStatusFile } from '../../attention/status-file.ts';
import { guestScript } from '../../host/install/resources.ts';

const script = guestScript('coi-status.sh');

class StatusDirectory {
  readonly path = mkdtempSync(join(tmpdir(), 'coi-status-'));

  /** Runs it for this process, which is its parent. */
  run(args: readonly string[], stdin = '', env: Readonly<Record<string, string>> = {}) {
    return spawnSync('sh', ['-c', script, 'coi-status', ...args], {
      input: stdin,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], COI_STATUS_DIR: join(this.path, 'new/status'), ...env },
    });
  }

  get names(): readonly string[] {
    try {
      return readdirSync(join(this.path, 'new/status'));
    } catch {
      return [];
    }
  }

  get text(): string {
    return readFileSync(join(this.path, 'new/status', `${process.pid}.json`), 'utf8');
  }

  get file() {
    const file = parseStatusFile(this.text);
    assert.ok(file, this.text);
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
}

test('a process says that it works, is idle or asks', () => {
  using directory = new StatusDirectory();
  const begunMs = Date.now();
  assert.equal(directory.run(['working']).stderr, '');
  const { entry, comm } = directory.file;
  assert.deepEqual([entry.pid, entry.status, comm], [process.pid, 'busy', nameOf(process.pid)]);
  // A host's date may know seconds only.
  const sinceMs = entry.sinceMs ?? 0;
  assert.ok(sinceMs >= begunMs - 1000 && sinceMs <= Date.now(), `${sinceMs} ${begunMs}`);
  for (const end of ['finished', 'interrupted', 'failed']) {
    assert.equal(directory.run(['idle', end]).status, 0);
    assert.deepEqual([directory.file.entry.status, directory.file.report.end], ['idle', end]);
  }
  assert.equal(directory.run(['idle']).status, 0);
  assert.equal(directory.file.report.end, 'fresh');
  assert.equal(directory.run(['asks', 'Which one?', 'Red\nor blue']).status, 0);
  const [ask] = directory.file.report.asks;
  assert.deepEqual(
    [directory.file.entry.status, ask?.kind, ask?.title, ask?.body],
    ['waiting', 'question', 'Which one?', 'Red\nor blue'],
  );
  assert.deepEqual(directory.names, [`${process.pid}.json`]);
  const path = join(directory.path, 'new/status', `${process.pid}.json`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('it writes for the agent, the given process or its parent', () => {
  using directory = new StatusDirectory();
  assert.equal(directory.run(['working'], '', { COI_AGENT_PID: '1' }).status, 0);
  assert.deepEqual(directory.names, ['1.json']);
  const given = directory.run(['--pid', String(process.pid), 'idle'], '', { COI_AGENT_PID: '1' });
  assert.equal(given.status, 0);
  assert.deepEqual([...directory.names].sort(), ['1.json', `${process.pid}.json`].sort());
});

test('text of any bytes becomes a string of JSON', () => {
  using directory = new StatusDirectory();
  const unit = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 255 }) },
    { weight: 1, arbitrary: fc.constantFrom(...Buffer.from('\\"\n\t$`\'*[%s]')) },
  );
  // Arguments of Node are text: octal escapes carry the bytes.
  const printed = (bytes: readonly number[]) =>
    bytes.map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
  const wrapped = `title=$(printf '%b.' "$1") body=$(printf '%b.' "$2")\nset -- asks "\${title%.}" "\${body%.}"\n${script}`;
  fc.assert(
    fc.property(
      fc.array(unit, { maxLength: 60 }),
      fc.array(unit, { maxLength: 60 }),
      (title, body) => {
        const ran = spawnSync('sh', ['-c', wrapped, 'coi-status', printed(title), printed(body)], {
          env: { PATH: process.env['PATH'], COI_STATUS_DIR: join(directory.path, 'new/status') },
        });
        assert.equal(ran.status, 0, ran.stderr.toString());
        const { asks } = JSON.parse(directory.text) as {
          asks: readonly { readonly title: string; readonly body: string }[];
        };
        const kept = (bytes: readonly number[]) =>
          Buffer.from(
            bytes.filter((byte) => byte === 9 || byte === 10 || (byte >= 32 && byte !== 127)),
          ).toString();
        assert.deepEqual([asks[0]?.title, asks[0]?.body], [kept(title), kept(body)]);
      },
    ),
    { numRuns: 60 },
  );
});

test('long texts are cut, also where they are escaped', () => {
  using directory = new StatusDirectory();
  assert.equal(directory.run(['asks', '"'.repeat(10_000), '\\'.repeat(100_000)]).status, 0);
  const { asks } = JSON.parse(directory.text) as { asks: readonly { body: string }[] };
  assert.equal(asks[0]?.body, '\\'.repeat(2048));
});

test('a hook gets its details to the host, and never fails', () => {
  using directory = new StatusDirectory();
  const asked = {
    session_id: 'one-1',
    transcript_path: '/home/code/.codex/sessions/x.jsonl',
    hook_event_name: 'PermissionRequest',
    tool_name: 'Bash',
    tool_input: { command: 'echo "a\\b"\n\u0001é', session_id: 'two' },
  };
  const quiet = { stdout: '', stderr: '', status: 0 };
  const result = ({ stdout, stderr, status }: ReturnType<StatusDirectory['run']>) => ({
    stdout,
    stderr,
    status,
  });
  const hook = (args: readonly string[], stdin: string, env = {}) =>
    assert.deepEqual(result(directory.run(['--hook', ...args], stdin, env)), quiet);
  hook(['asks'], JSON.stringify(asked));
  const { entry, report, transcript } = directory.file;
  assert.deepEqual([entry.conversation, transcript], ['one-1', asked.transcript_path]);
  assert.deepEqual([report.asks[0]?.kind, report.asks[0]?.title], ['permission', 'Bash']);
  assert.match(report.asks[0]?.body ?? '', /^echo "a\\b"\n.*é$/);
  // Too long to be passed on.
  hook(['working'], JSON.stringify({ session_id: 'one', prompt: 'x'.repeat(100_000) }));
  assert.deepEqual(
    [directory.file.entry.status, directory.file.entry.conversation],
    ['busy', 'one'],
  );
  assert.ok(directory.text.length < 1000);
  for (const stdin of ['', 'no JSON', '{"session_id":"$(id)"}']) {
    hook(['idle', 'finished'], stdin);
    assert.deepEqual(
      [directory.file.entry.status, directory.file.entry.conversation],
      ['idle', ''],
    );
  }
  hook([], '');
  hook(['--pid'], '');
  hook(['--pid', '4194305', 'working'], '');
  hook(['working'], '', { COI_AGENT_PID: 'x' });
  hook(['working'], '', { COI_STATUS_DIR: '/proc/none' });
  assert.deepEqual(directory.names, [`${process.pid}.json`]);
});

test('without a status directory it does nothing, and wrong arguments are refused', () => {
  using directory = new StatusDirectory();
  assert.equal(directory.run(['working'], '', { COI_STATUS_DIR: '' }).status, 0);
  for (const args of [[], ['sleeping'], ['idle', 'bored'], ['--pid'], ['--pid', 'x', 'working']])
    assert.equal(directory.run(args).status, 2, args.join(' '));
  assert.deepEqual(directory.names, []);
});
