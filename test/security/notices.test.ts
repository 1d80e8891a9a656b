// Goal: what root in a container writes about its agent reaches the user as text, a few times, and costs the host little.
// Method: two sessions with status files; one of them is hostile. The control is the other one, which is told as usual.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type NoticeServer, openNoticeServer, readEvents } from '../agents/events-bed.ts';
import { type Bed, makeBed } from '../bed/bed.ts';
import { homeFile } from '../lifecycle/conversation.ts';

const timeout = 180_000;
let bed: Bed;
let server: NoticeServer;
let hostile: string;
let honest: string;

before(async () => {
  server = await openNoticeServer();
  bed = await makeBed();
  homeFile(
    bed,
    '.coi/config.toml',
    `[notify]
delay_sec = 0
per_minute = 6
body = "full"
webhook = "${server.url}/hook"
`,
  );
  for (const slot of ['1', '2']) {
    const started = await bed.coi(['shell', '--background', '--slot', slot, '--image', bed.image]);
    assert.equal(started.status, 0, started.stderr);
  }
  [hostile = '', honest = ''] = await bed.instances();
  for (const name of [hostile, honest])
    await inside(
      name,
      `install -d -o code -g code ${directory}
       setsid sleep 100000 >/dev/null 2>&1 </dev/null & echo $! >/tmp/pid`,
    );
});
after(async () => {
  await bed?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const directory = '/home/code/.claude/coi-status';

async function inside(name: string, script: string): Promise<void> {
  const result = await bed.coi(['container', 'exec', name, '--', 'sh', '-ec', script]);
  assert.equal(result.status, 0, `${script}: ${result.stderr}`);
}

/** Writes the status of a process that lives. */
function says(name: string, status: object): Promise<void> {
  const text = JSON.stringify(status).slice(1, -1);
  const file = `${directory}/$(cat /tmp/pid).json`;
  return inside(
    name,
    `printf '{"pid":%s,%s}' "$(cat /tmp/pid)" "$(echo ${Buffer.from(text).toString('base64')} | base64 -d)" >${directory}/new
     mv ${directory}/new ${file}`,
  );
}

const asking = (id: string, title: string, body = '') => ({
  status: 'waiting',
  asks: [{ id, kind: 'question', title, body, options: [] }],
});

test('a question with escape sequences and markup is told as plain text', { timeout }, async () => {
  await using resources = new AsyncDisposableStack();
  const reader = resources.adopt(readEvents(bed), (one) => one.close());
  // A terminal of the user's that is attached to the other session.
  const screen = bed.screen(['attach', honest], { env: { TERM: 'foot', TMUX: '' } });
  await screen.waitFor(/\S/);
  await reader.next('a snapshot', ({ type }) => type === 'snapshot');
  const evil =
    '\u001b]52;c;ZXZpbA==\u0007\u001b[31m\u202e;evil;\u009d0;x\u009c<b>質問</b>\r\nx-header: 1';
  await says(hostile, asking('one', evil, evil));
  const { attention } = await reader.next(
    'a question',
    (event) => event.attention?.status === 'asks',
  );
  assert.doesNotMatch(attention.asks[0]?.title ?? '', /[\p{Cc}\p{Cf}]/u);
  const { body } = await server.until(
    ({ body }) => body['action'] === 'asks' && body['container'] === hostile,
  );
  assert.doesNotMatch(`${String(body['title'])}${String(body['description'])}`, /[\p{Cc}\p{Cf}]/u);
  assert.match(String(body['description']), /質問/);
  await screen.waitUntil('a notice', () =>
    /\]777;notify;coi: [^\u0007]*質問/.test(screen.output()),
  );
  const [notice = ''] = /\u001b\]777;notify;[^\u0007]*\u0007/.exec(screen.output()) ?? [];
  assert.match(notice, /^\u001b\]777;notify;coi: [^;]+;[^;\p{Cc}]+\u0007$/u);
  assert.doesNotMatch(screen.output(), /\]52;c;ZXZpbA/);
  await screen.close();
});

test('a session that asks all the time is told a few times, and another one at once', {
  timeout,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const reader = resources.adopt(readEvents(bed, ['--session', honest]), (one) => one.close());
  await reader.next('a snapshot', ({ type }) => type === 'snapshot');
  const before = server.received.length;
  await inside(
    hostile,
    `cat >/tmp/storm <<'END'
i=0
while :; do
  i=$((i + 1))
  echo "{\\"pid\\":$(cat /tmp/pid),\\"status\\":\\"waiting\\",\\"asks\\":[{\\"id\\":\\"$i\\",\\"kind\\":\\"question\\",\\"title\\":\\"$i\\"}]}" >${directory}/$(cat /tmp/pid).json
done
END
    for n in 1 2; do setsid sh /tmp/storm >/dev/null 2>&1 </dev/null & done`,
  );
  const events = join(bed.user.home, '.coi/events');
  const [host = ''] = readdirSync(events);
  const watcher = readFileSync(join(events, host, 'lock'), 'utf8').trim();
  const [cpuBefore, beganMs] = [cpuMs(watcher), performance.now()];
  await says(honest, { ...asking('mine', 'Which colour?') });
  await reader.next('the question of the other', (event) => event.attention?.status === 'asks');
  await server.until(({ body }) => body['container'] === honest && body['action'] === 'asks');
  // The rules allow six at once, and one more each ten seconds.
  for (let ms = 0; ms < 10_000; ms = performance.now() - beganMs)
    await says(honest, { status: 'idle', end: 'finished', since: Date.now() });
  const seconds = (performance.now() - beganMs) / 1000;
  const told = server.received.slice(before).filter(({ body }) => body['container'] === hostile);
  assert.ok(told.length <= 6 + seconds / 10 + 1, `${told.length} notices`);
  const share = (cpuMs(watcher) - cpuBefore) / (seconds * 1000);
  assert.ok(share < 0.2, `the watcher used ${(share * 100).toFixed(1)} % of a core`);
  await inside(hostile, "pkill -f '[/]tmp/storm'");
  const sizes = readdirSync(join(events, host)).map(
    (name) => statSync(join(events, host, name)).size,
  );
  assert.ok(Math.max(...sizes) < 2 ** 21, String(sizes));
});

function cpuMs(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

test('a project cannot send notices anywhere', { timeout }, async () => {
  await bed.user.run([
    ...['sh', '-c', 'mkdir -p "$1/.coi"; printf %s "$2" >"$1/.coi/config.toml"', '-'],
    ...[bed.workspace.path, '[notify]\nwebhook = "https://evil.example/"\n'],
  ]);
  const shown = await bed.coi(['config', 'show', 'notify.webhook']);
  assert.doesNotMatch(shown.stdout, /evil/, shown.stderr);
});
