import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { customTool } from '../config/keys/custom-tool.ts';
import { CoiError } from '../errors.ts';
import { guestScript } from '../host/install/resources.ts';
import { allTools, findTool, keyTails } from './list.ts';
import type { Conversation, Tool, ToolLaunch } from './tool.ts';

const none = { tools: {} };
const id = '0b7e3c1a-1111-4222-8333-444455556666';
const launch = (
  conversation: Conversation = { kind: 'new' },
  more: Partial<ToolLaunch> = {},
): ToolLaunch => ({
  sessionId: id,
  conversation,
  permissionMode: 'bypass',
  home: '/home/code',
  workspace: '/workspace',
  ...more,
});
const commandLine = (name: string, given = launch()) =>
  findTool(name, none).command(given).join(' ');
const fresh: Conversation = { kind: 'new' };
const newest: Conversation = { kind: 'resume' };
const known: Conversation = { kind: 'resume', id: 'the-id' };

describe('commands', () => {
  test('the claude command has its arguments', () => {
    const line = commandLine('claude');
    const [, settings = ''] = /^claude --verbose --settings (\{.*\}) /.exec(line) ?? [];
    assert.ok(JSON.stringify(JSON.parse(settings)).includes('.claude/coi/ask.sh'));
    assert.match(line, new RegExp(` --permission-mode bypassPermissions --session-id ${id}$`));
    assert.equal(
      commandLine('claude', launch(fresh, { permissionMode: 'interactive' })),
      `claude --verbose --settings ${settings} --session-id ${id}`,
    );
    // It would wait as long as the hook.
    assert.doesNotMatch(
      findTool('claude', none, {}).headless?.(launch(fresh)).join(' ') ?? 'none',
      /--settings|none/,
    );
    assert.match(commandLine('claude', launch(newest)), / --resume$/);
    assert.match(commandLine('claude', launch(known)), / --resume the-id$/);
    assert.match(commandLine('claude', launch(fresh, { model: 'opus' })), / --model opus /);
  });

  test('the codex command has its arguments', () => {
    const trusted = '-c projects={"/workspace"={trust_level="trusted"}}';
    assert.equal(
      commandLine('codex'),
      `codex --dangerously-bypass-approvals-and-sandbox ${trusted}`,
    );
    assert.equal(
      commandLine('codex', launch(newest, { permissionMode: 'interactive' })),
      `codex resume --last -s workspace-write -a on-request ${trusted}`,
    );
    assert.match(
      commandLine('codex', launch(known, { model: 'm', effort: 'high' })),
      /^codex resume the-id .* -m m -c model_reasoning_effort="high" /,
    );
  });

  test('opencode, pi, gemini and aider commands have their arguments', () => {
    assert.equal(commandLine('opencode'), 'opencode');
    assert.equal(commandLine('opencode', launch(newest)), 'opencode --continue');
    assert.equal(commandLine('opencode', launch(known)), 'opencode --session the-id');
    assert.equal(commandLine('pi'), 'pi');
    assert.equal(commandLine('pi', launch(newest)), 'pi --continue');
    assert.equal(commandLine('gemini'), 'gemini --approval-mode yolo');
    assert.equal(
      commandLine('gemini', launch(newest, { permissionMode: 'interactive' })),
      'gemini --resume latest',
    );
    assert.equal(commandLine('aider', launch(newest)), 'aider --yes-always --restore-chat-history');
  });

  test('another program can replace the usual one', () => {
    for (const { name } of allTools(none))
      assert.equal(
        findTool(name, none).command(launch(fresh, { binary: 'other' }))[0],
        'other',
        name,
      );
  });

  test('COI_USE_DUMMY uses the stub with the same arguments', () => {
    const [program, ...rest] = findTool('claude', none, { COI_USE_DUMMY: '1' }).command(launch());
    assert.equal(program, 'dummy');
    assert.deepEqual(rest, findTool('claude', none).command(launch()).slice(1));
    assert.equal(findTool('claude', none, { COI_USE_DUMMY: '0' }).command(launch())[0], 'claude');
  });
});

test('an unknown tool is refused with the list of known ones', () => {
  assert.throws(
    () => findTool('clod', none),
    (error) =>
      error instanceof CoiError &&
      error.code === 'tool-unknown' &&
      /claude, opencode, codex, pi, gemini, aider/.test(error.hint ?? ''),
  );
});

test('every tool keeps its data in its own state directories', () => {
  for (const one of allTools(none)) {
    const inside = (path: string) => one.stateDirs.some((dir) => path.startsWith(`${dir}/`));
    for (const { to } of one.seeds) assert.ok(inside(to), `${one.name}: ${to}`);
    for (const { path } of one.settings(launch())) assert.ok(inside(path), `${one.name}: ${path}`);
    for (const { path, content } of one.ownFiles ?? []) {
      assert.ok(inside(path), `${one.name}: ${path}`);
      if ('guest' in content) assert.notEqual(guestScript(content.guest), '');
    }
    if (one.contextFile !== undefined)
      assert.ok(inside(one.contextFile), `${one.name}: ${one.contextFile}`);
    for (const dir of one.stateDirs) assert.match(dir, /^\.[a-z/]+$/);
  }
});

test('logins are copied only as credentials', () => {
  for (const one of allTools(none)) {
    for (const { from, kind } of one.seeds)
      if (/auth|cred|oauth/.test(from)) assert.equal(kind, 'credential', `${one.name}: ${from}`);
  }
});

test('everything that claude writes is in its mounted directory', () => {
  assert.equal(
    findTool('claude', none).environment(launch())['CLAUDE_CONFIG_DIR'],
    '/home/code/.claude',
  );
});

test('codex finds its newest conversation by file name', () => {
  const codex = findTool('codex', none);
  const file = (day: string, uuid: string, modifiedMs: number) => ({
    path: `.codex/sessions/2026/01/${day}/rollout-2026-01-${day}T10-00-00-${uuid}.jsonl`,
    modifiedMs,
  });
  const other = id.replace('0b', 'ff');
  assert.equal(
    codex.newestConversation?.(
      [
        file('02', id, 1),
        file('01', other, 5),
        { path: '.codex/sessions/x/rollout--x.jsonl', modifiedMs: 9 },
      ],
      '/workspace',
    ),
    other,
  );
});

test('the end of a forwarded key is stored only if the rest cannot be guessed', () => {
  const long = `sk-${'x'.repeat(80)}-12345678901234567890`;
  assert.deepEqual(keyTails({ ANTHROPIC_API_KEY: long }), ['12345678901234567890']);
  assert.deepEqual(keyTails({ ANTHROPIC_API_KEY: 'sk-short-key' }), []);
  assert.deepEqual(keyTails({ OTHER: long }), []);
});

describe('a tool of the user’s own', () => {
  const base = { home: '/h', dir: '/h', workspace: '/w' };
  const own = (table: Record<string, unknown>): Tool =>
    findTool('mine', { tools: { mine: customTool.parse(table, base) } });

  test('a custom tool is defined by a table', () => {
    const mine = own({
      command: ['mine', '--dir', '{workspace}'],
      new_args: ['--id', '{session}'],
      resume_args: ['--again', '{session}'],
      bypass_args: ['--yes'],
      interactive_args: ['--ask'],
      state_dirs: ['.mine'],
      seeds: [{ from: '.mine/auth', kind: 'credential' }],
      environment: { MINE_HOME: '{home}/.mine' },
      context_file: '.mine/AGENTS.md',
    });
    assert.deepEqual(mine.command(launch()), ['mine', '--dir', '/workspace', '--yes', '--id', id]);
    assert.deepEqual(mine.command(launch(newest, { permissionMode: 'interactive' })), [
      'mine',
      '--dir',
      '/workspace',
      '--ask',
      '--again',
      id,
    ]);
    const other = launch({ kind: 'resume', id: 'another' });
    assert.equal(mine.command(other).at(-1), 'another');
    assert.deepEqual(mine.environment(launch()), { MINE_HOME: '/home/code/.mine' });
    assert.deepEqual(mine.seeds, [{ from: '.mine/auth', to: '.mine/auth', kind: 'credential' }]);
    assert.equal(mine.sessionsDir, 'sessions-mine');
  });

  test('a custom tool may replace a built-in one', () => {
    const claude = customTool.parse({ command: ['my-claude'] }, base);
    assert.equal(findTool('claude', { tools: { claude } }).command(launch())[0], 'my-claude');
    assert.equal(allTools({ tools: { claude } }).filter(({ name }) => name === 'claude').length, 1);
  });

  test('a custom tool cannot name paths outside the home', () => {
    for (const dir of ['/etc', '..', '../x', 'a/../../x', '', '.', 'a//b', 'a/.']) {
      assert.throws(() => own({ command: ['x'], state_dirs: [dir] }), JSON.stringify(dir));
    }
  });

  test('arguments of a custom tool stay separate, whatever they contain', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), (words) => {
        const mine = findTool('mine', {
          tools: {
            mine: {
              title: undefined,
              command: words,
              new_args: [],
              resume_args: [],
              bypass_args: [],
              interactive_args: [],
              state_dirs: [],
              seeds: [],
              environment: {},
              context_file: undefined,
            },
          },
        });
        assert.equal(mine.command(launch()).length, words.length);
      }),
    );
  });
});

test('Claude is told to leave its name out of commit messages, in both permission modes', () => {
  const commandLine = (plainCommits: boolean, permissionMode: ToolLaunch['permissionMode']) =>
    findTool('claude', none)
      .settings(launch({ kind: 'new' }, { plainCommits, permissionMode }))
      .find(({ path }) => path === '.claude/settings.json')?.values['includeCoAuthoredBy'];
  for (const mode of ['bypass', 'interactive'] as const)
    assert.deepEqual([commandLine(true, mode), commandLine(false, mode)], [false, undefined]);
});

test('a hook that cannot run does not stop the agent', () => {
  // To Codex and Gemini CLI the status 2, which sh has for a missing script, means that the hook forbids what comes next.
  const { settings } = findTool('gemini', none);
  const hooks = settings(launch()).find(({ at }) => at?.[0] === 'hooks');
  assert.ok(hooks?.adds);
  const commands = [...JSON.stringify(hooks.values).matchAll(/"command":("(?:[^"\\]|\\.)*")/g)].map(
    ([, command = '']) => JSON.parse(command) as string,
  );
  const ofCodex = [...guestScript('codex-requirements.toml').matchAll(/^command = '(.*)'$/gm)];
  commands.push(...ofCodex.map(([, command = '']) => command));
  assert.equal(commands.length, 10);
  for (const command of commands) {
    const ran = spawnSync('bash', ['-c', command], { env: { HOME: '/none' }, input: '{}' });
    assert.equal(ran.status, 0, command);
    assert.equal(ran.stdout.toString(), '');
  }
});
