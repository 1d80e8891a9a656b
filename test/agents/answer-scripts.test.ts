// The scripts that carry an answer, run on the host: claude-ask.sh (the waiting hook) and answer.sh.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { guestScript } from '../../src/host/install/resources.ts';

/** The home of an agent whose process is this one. */
class Home {
  readonly path = mkdtempSync(join(tmpdir(), 'coi-answer-'));
  readonly asks = join(this.path, 'status/asks');
  readonly #registered = `.claude/sessions/${process.pid}.json`;

  constructor() {
    mkdirSync(this.asks, { recursive: true });
    this.says('waiting');
  }

  says(status: string): void {
    this.write(this.#registered, `{"status":"${status}"}`);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    writeFileSync(join(this.path, path), text);
  }

  run(
    argv: readonly [string, ...string[]],
    input: string,
    env: Readonly<Record<string, string>> = {},
  ): Running {
    const [program, ...args] = argv;
    const child = spawn(program, args, {
      cwd: this.path,
      env: {
        PATH: process.env['PATH'],
        HOME: this.path,
        CLAUDE_CONFIG_DIR: join(this.path, '.claude'),
        CLAUDE_PROJECT_DIR: join(this.path, 'project'),
        COI_STATUS_DIR: join(this.path, 'status'),
        ...env,
      },
    });
    child.stdin.end(input);
    return new Running(child);
  }

  hook(input = '{"hook":1}', env: Readonly<Record<string, string>> = {}): Running {
    return this.run(['bash', '-c', guestScript('claude-ask.sh')], input, env);
  }

  answer(name: string, text: string, { waiting = '', deadlineMs = Date.now() + 10_000 } = {}) {
    const deadline = String(Math.floor(deadlineMs / 1000));
    const argv = ['coi-answer', this.asks, name, deadline, waiting];
    return this.run(['sh', '-c', guestScript('answer.sh'), ...argv], text);
  }

  /** The name of the only waiting hook, besides a file that was there. */
  waiting(stale = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const watcher = watch(this.asks, () => look());
      const limit = setTimeout(() => {
        watcher.close();
        reject(new Error('no hook waits'));
      }, 10_000);
      const look = () => {
        const names = readdirSync(this.asks);
        const found = names.find((name) => name.endsWith('.json') && name !== stale);
        if (found === undefined) return;
        clearTimeout(limit);
        watcher.close();
        resolve(found.replace('.json', ''));
      };
      look();
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

class Running {
  readonly child: ChildProcess;
  readonly #ended: Promise<{ status: number | null; stdout: string }>;

  constructor(child: ChildProcess) {
    this.child = child;
    let stdout = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
    });
    this.#ended = once(child, 'close').then(([status]) => ({
      status: status as number | null,
      stdout,
    }));
  }

  end(): Promise<{ status: number | null; stdout: string }> {
    return this.#ended;
  }
}

test('the hook passes on what is asked, prints the answer, and leaves nothing behind', async () => {
  using home = new Home();
  const hook = home.hook();
  const name = await home.waiting();
  const given = home.answer(name, '{"allow":"$(id)"}');
  assert.equal((await given.end()).status, 0);
  assert.deepEqual(await hook.end(), { status: 0, stdout: '{"allow":"$(id)"}' });
  assert.deepEqual(readdirSync(home.asks), []);
});

test('the hook removes what a killed container has left', async () => {
  using home = new Home();
  const gone = spawnSync('true').pid;
  home.write(`status/asks/${gone}-1.json`, '{}');
  home.write(`status/asks/${process.pid}-1.taken`, '{}');
  const hook = home.hook();
  await home.waiting(`${gone}-1.json`);
  hook.child.kill();
  await hook.end();
  assert.deepEqual(readdirSync(home.asks), [`${process.pid}-1.taken`]);
});

test('of two answers at once one counts', async () => {
  using home = new Home();
  const hook = home.hook();
  const name = await home.waiting();
  // The hook is stopped meanwhile, so that both are on their way.
  hook.child.kill('SIGSTOP');
  const answers = [home.answer(name, 'first'), home.answer(name, 'second')];
  const refused = await Promise.race(answers.map((one) => one.end()));
  assert.equal(refused.status, 4);
  hook.child.kill('SIGCONT');
  const ends = await Promise.all(answers.map((one) => one.end()));
  assert.deepEqual(ends.map(({ status }) => status).sort(), [0, 4]);
  const printed = (await hook.end()).stdout;
  assert.equal(printed, ends[0]?.status === 0 ? 'first' : 'second');
});

test('the hook ends when the dialog is closed, and when the agent has been asked to end', async () => {
  using home = new Home();
  const closed = home.hook();
  await home.waiting();
  home.says('idle');
  assert.deepEqual(await closed.end(), { status: 0, stdout: '' });
  home.says('waiting');
  const ended = home.hook();
  await home.waiting();
  ended.child.kill('SIGTERM');
  assert.equal((await ended.end()).stdout, '');
  assert.deepEqual(readdirSync(home.asks), []);
});

test('an answer that nobody takes is taken back, and one that is too late is not given', async () => {
  using home = new Home();
  assert.equal((await home.answer('1-1', 'x').end()).status, 3);
  assert.equal(
    (await home.answer('1-1', 'x', { deadlineMs: Date.now() - 10_000 }).end()).status,
    3,
  );
  assert.deepEqual(readdirSync(home.asks), []);
});

test('an answer is not taken when the dialog is closed, and is taken back at once', async () => {
  using home = new Home();
  const hook = home.hook();
  const name = await home.waiting();
  hook.child.kill('SIGSTOP');
  home.says('idle');
  const waiting = join(home.asks, `${name}.json`);
  const answer = home.answer(name, 'x', { waiting });
  hook.child.kill('SIGCONT');
  assert.deepEqual(await hook.end(), { status: 0, stdout: '' });
  assert.equal((await answer.end()).status, 3);
  assert.deepEqual(readdirSync(home.asks), []);
});

test('the hook does not wait for an agent with plugins from elsewhere', async () => {
  using home = new Home();
  const env = { CLAUDE_CODE_PLUGIN_DIRS: '/elsewhere' };
  assert.deepEqual(await home.hook('{}', env).end(), { status: 0, stdout: '' });
  assert.deepEqual(readdirSync(home.asks), []);
});

const hookOfTheirs = '{"hooks":{"PermissionRequest":[]}}';
for (const path of [
  '.claude/settings.json',
  '.claude/settings.local.json',
  'project/.claude/settings.json',
  '.claude/plugins/cache/market/plugin/hooks/hooks.json',
  '.claude/agents/mine.md',
  '.claude/remote-settings.json',
  'project/.claude/skills/one/hooks/hooks.json',
  'project/packages/two/.claude/skills/one/SKILL.md',
])
  test(`the hook does not wait if there may be another in ${path}`, async () => {
    using home = new Home();
    home.write(path, hookOfTheirs);
    assert.deepEqual(await home.hook('x'.repeat(2 ** 20)).end(), { status: 0, stdout: '' });
    assert.deepEqual(readdirSync(home.asks), []);
    // Control: without that name it waits.
    home.write(path, hookOfTheirs.replace('PermissionRequest', 'Stop'));
    const hook = home.hook();
    assert.notEqual(await home.waiting(), '');
    hook.child.kill();
    await hook.end();
  });

test('the hook does not wait if there may be another behind a link', async () => {
  using home = new Home();
  home.write('elsewhere/SKILL.md', hookOfTheirs);
  mkdirSync(join(home.path, '.claude/skills'), { recursive: true });
  symlinkSync('../../elsewhere', join(home.path, '.claude/skills/one'));
  assert.deepEqual(await home.hook().end(), { status: 0, stdout: '' });
});

test('a link or a directory in place of an answer reaches nothing else', async () => {
  using home = new Home();
  const hook = home.hook();
  const name = await home.waiting();
  const answer = join(home.asks, `${name}.answer`);
  mkdirSync(`${answer}.new`);
  renameSync(`${answer}.new`, answer);
  // It takes the directory away and prints nothing.
  assert.equal((await hook.end()).stdout, '');
  assert.ok(!existsSync(answer));
});
