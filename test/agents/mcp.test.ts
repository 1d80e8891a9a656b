// `coi mcp` and the real Claude Code: a program on the host leads sessions, with the official client.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Bed } from '../bed/bed.ts';
import { coiPath } from '../bed/program.ts';
import { askingClaude, makeAgentBed } from './agent-bed.ts';

const timeout = 300_000;

class Leader implements AsyncDisposable {
  readonly #client = new Client({ name: 'test', version: '1' });

  static async start(bed: Bed, args: readonly string[] = []): Promise<Leader> {
    const leader = new Leader();
    const environment = Object.entries({ ...bed.user.env, ...bed.env });
    const pairs = environment.flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    );
    const [command = '', ...words] = bed.user.argv([
      ...['env', '-i', ...pairs],
      ...[coiPath(), 'mcp', ...args],
    ]);
    await leader.#client.connect(
      new StdioClientTransport({ command, args: words, stderr: 'ignore' }),
    );
    return leader;
  }

  async tools(): Promise<readonly string[]> {
    const { tools } = await this.#client.listTools();
    for (const { name, annotations } of tools)
      assert.equal(annotations?.readOnlyHint, /^(list|session|read|wait)_/.test(name), name);
    return tools.map(({ name }) => name);
  }

  async call(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
    const result = await this.#client.callTool({ name, arguments: args });
    assert.notEqual(result.isError, true, JSON.stringify(result.content));
    return result.structuredContent as Record<string, unknown>;
  }

  /** The text of an expected error. */
  async refusal(name: string, args: Record<string, unknown>): Promise<string> {
    const result = await this.#client.callTool({ name, arguments: args });
    assert.equal(result.isError, true, JSON.stringify(result));
    return JSON.stringify(result.content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

test('a program leads a session: it opens it, sends, waits, answers, looks, runs and ends it', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed } = agent;
  // Its environment has what Claude Code needs.
  const session = await agent.start();
  await using leader = await Leader.start(bed);
  assert.ok((await leader.tools()).includes('answer_question'));
  const listed = async () => {
    const { sessions } = await leader.call('list_sessions', {});
    return (sessions as { name: string; activity: { kind: string } }[]).map(({ name }) => name);
  };
  assert.deepEqual(await listed(), [session]);

  const heard = await leader.call('send_message', { session, text: 'hello there', wait: true });
  assert.deepEqual([heard['end'], heard['reply']], ['finished', 'I heard hello there.']);
  await leader.call('send_message', { session, text: 'please run touch /tmp/led' });
  const waited = await leader.call('wait_for_sessions', { sessions: [session], for: ['asks'] });
  const [reached] = waited['reached'] as { activity: { asks: { id: string; body: string }[] } }[];
  const [ask] = reached?.activity.asks ?? [];
  assert.equal(ask?.body, 'touch /tmp/led');
  assert.match(await leader.refusal('send_message', { session, text: 'yes' }), /session-asks/);
  const wrong = { session, ask: 'toolu_other', options: ['yes'] };
  assert.match(await leader.refusal('answer_question', wrong), /ask-gone/);
  await leader.call('answer_question', { session, ask: ask?.id, options: ['yes'] });
  await leader.call('wait_for_sessions', { sessions: [session], for: ['idle'] });
  const ran = await leader.call('run_command', { session, command: 'ls /tmp/led; exit 3' });
  assert.deepEqual([ran['status'], ran['stdout']], [3, '/tmp/led\n']);
  const { screen } = await leader.call('read_screen', { session });
  assert.match(String(screen), /hello there/);

  const never = { sessions: [session], for: ['asks'], timeout_sec: 1 };
  assert.equal((await leader.call('wait_for_sessions', never))['timed_out'], true);
  const slow = { session, command: 'sleep 600', timeout_sec: 1 };
  assert.equal((await leader.call('run_command', slow))['timed_out'], true);
  for (const left = ['pgrep', '-fx', 'sleep 600']; ; ) {
    const found = await bed.coi(['container', 'exec', session, '--', ...left]);
    if (found.status === 1) break;
  }

  const opened = await leader.call('open_session', { workspace: bed.workspace.path });
  const { name: second } = opened['session'] as { name: string };
  assert.deepEqual((await listed()).sort(), [session, second].sort());
  await leader.call('end_session', { session: second, force: true });
  assert.deepEqual(await listed(), [session]);
  assert.match(await leader.refusal('session_status', { session: second }), /session-not-found/);
});

test('a read-only server has no tool that changes something', { timeout }, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const session = await agent.start();
  await using leader = await Leader.start(agent.bed, ['--read-only']);
  assert.deepEqual(await leader.tools(), [
    'list_sessions',
    'session_status',
    'read_screen',
    'wait_for_sessions',
  ]);
  assert.equal((await leader.call('session_status', { session }))['session'], session);
  await assert.rejects(() => leader.call('run_command', { session, command: 'true' }));
});

test('the server listens nowhere, and nothing in a session leads to it or to Incus', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed } = agent;
  const session = await agent.start();
  await using leader = await Leader.start(bed);
  await leader.tools();
  const servers = processesOf(bed.user.uid).filter((pid) => titleOf(pid).startsWith('coi mcp'));
  assert.ok(servers.length > 0);
  assert.deepEqual(servers.flatMap(listeners), []);
  // Control: this process does listen.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  assert.equal(listeners(process.pid).length, 1);
  server.close();

  const inside = async (script: string) =>
    (await bed.coi(['container', 'exec', session, '--', 'sudo', 'sh', '-c', script])).stdout.trim();
  assert.equal(
    await inside('command -v coi incus lxc; ls -d /var/lib/incus /run/incus /run/coi*'),
    '',
  );
  assert.equal(await inside('ls -d /run /var/lib | wc -l'), '2');
});

function processesOf(uid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => unlessGone(() => statSync(`/proc/${pid}`).uid === uid) ?? false);
}

function titleOf(pid: number): string {
  return unlessGone(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
}

/** Inodes of the sockets on which a process accepts connections. Source: proc(5). */
function listeners(pid: number): readonly string[] {
  const rows = (file: string) =>
    readFileSync(`/proc/${pid}/net/${file}`, 'utf8').trim().split('\n').slice(1);
  const listening = new Set([
    ...['tcp', 'tcp6'].flatMap((file) =>
      rows(file).flatMap((row) => {
        const fields = row.trim().split(/\s+/);
        return fields[3] === '0A' ? [fields[9]] : [];
      }),
    ),
    ...rows('unix').flatMap((row) => {
      const fields = row.trim().split(/\s+/);
      return fields[3] === '00010000' ? [fields[6]] : [];
    }),
  ]);
  const names = readdirSync(`/proc/${pid}/fd`);
  return names.flatMap((fd) => {
    const target = unlessGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? '';
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    return inode !== undefined && listening.has(inode) ? [inode] : [];
  });
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
