// The real Claude Code: events, and notices about what it does and asks.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { untilWritten } from '../bed/until.ts';
import { askingClaude, makeAgentBed } from './agent-bed.ts';
import { listed } from './attention-bed.ts';
import { openNoticeServer, readEvents } from './events-bed.ts';

const timeout = 300_000;

test('events follow what Claude Code does, across restarts of coid and of the watcher, and the user is told', {
  timeout,
}, async () => {
  await using server = await openNoticeServer();
  await using agent = await makeAgentBed({
    ...askingClaude,
    config: `[notify]
delay_sec = 0
webhook = "${server.url}/hook"
ntfy = { url = "${server.url}", topic = "mine", token_file = "~/token" }
command = ["sh", "-c", "(id -u; id -G; echo $COI_ACTION; cat) >~/told.new; [ $COI_ACTION != asks ] || mv ~/told.new ~/told"]`,
    files: () => ({
      ...askingClaude.files?.({} as never),
      token: 'tk_secret\n',
    }),
  });
  const { bed } = agent;
  const name = await agent.start();
  const other = await agent.start(['--slot', '2']);
  const reader = readEvents(bed, ['--session', name]);
  const status = (wanted: string) =>
    reader.next(wanted, (event) => event.attention?.status === wanted);
  const sent = async (...args: string[]) => {
    const result = await bed.coi(['send', name, ...args]);
    assert.equal(result.status, 0, result.stderr);
  };
  // A terminal that knows OSC 777, attached to the other session.
  const screen = bed.screen(['attach', other], { env: { TERM: 'foot', TMUX: '' } });
  await screen.waitFor('for shortcuts');
  await reader.next('a snapshot', ({ type }) => type === 'snapshot');

  await sent('hello there', '--wait');
  await status('working');
  const idle = await status('idle');
  assert.equal(idle.attention.why, 'finished');
  assert.equal(idle.attention.said, 'I heard hello there.');
  await server.until(({ path, body }) => path === '/hook' && body['action'] === 'finished');

  await sent('please run touch /tmp/danger');
  const { attention, cursor } = await status('asks');
  assert.deepEqual(
    attention.asks.map(({ kind, title, body }) => [kind, title, body]),
    [['permission', 'Bash', 'touch /tmp/danger']],
  );
  const hook = await server.until(
    ({ path, body }) => path === '/hook' && body['action'] === 'asks',
  );
  assert.equal(hook.body['container'], name);
  assert.equal(hook.body['description'], 'Bash', 'the command is not told unless it is asked for');
  const push = await server.until(({ path, body }) => path === '/' && body['message'] === 'Bash');
  assert.equal(push.headers.authorization, 'Bearer tk_secret');
  assert.match(String(push.body['title']), /-1\) asks for permission$/);
  const told = await untilWritten(join(bed.user.home, 'told'));
  const [uid, groups, action] = told.split('\n');
  assert.deepEqual([uid, action], [String(bed.user.uid), 'asks']);
  assert.ok(!(groups ?? '').split(' ').includes('0'), groups);
  await screen.waitUntil('a notice', () =>
    /\u001b\]777;notify;coi: \S+ \(\S+-1\) asks for permission;Bash\u0007/u.test(screen.output()),
  );

  // Neither coid nor the watcher runs for a while, and the reader goes on.
  await bed.coid.crash();
  await bed.coid.start();
  assert.equal((await bed.coi(['tmux', 'send', name, '--key', 'Escape'])).status, 0);
  assert.equal((await status('idle')).attention.why, 'interrupted');
  const events = join(bed.user.home, '.coi/events');
  const [host = ''] = readdirSync(events);
  process.kill(Number(readFileSync(join(events, host, 'lock'), 'utf8')), 'SIGKILL');
  await sent('hello again', '--wait');
  await status('idle');

  // An event is read once, by a new reader too.
  const again = readEvents(bed, ['--session', name, '--since', cursor]);
  const first = await again.next('an event', () => true);
  assert.equal(first.attention.why, 'interrupted');
  const cursors = reader.all().map((event) => event.cursor);
  assert.deepEqual([...new Set(cursors)], cursors);

  // The user has not looked at it since its turn has ended.
  const unseen = async () =>
    ((await listed(bed, name)).attention as unknown as { unseen: boolean }).unseen;
  assert.equal(await unseen(), true);
  assert.equal((await bed.coi(['seen', name])).status, 0);
  assert.equal(await unseen(), false);

  assert.equal(
    (await bed.coi(['container', 'exec', name, '--', 'pkill', '-9', 'claude'])).status,
    0,
  );
  assert.equal((await status('exited')).attention.exit_status, 137);
  await server.until(({ body }) => body['action'] === 'exited');
  assert.equal((await bed.coi(['kill', '--force', name])).status, 0);
  await reader.next('the end', ({ type }) => type === 'ended');
});
