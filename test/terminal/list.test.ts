// `coi list` on a terminal, and the parts that scripts read.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 180_000;

async function listRows(bed: Bed, columns: number, ...args: string[]): Promise<string[]> {
  const screen = bed.screen(['list', ...args], { columns, env: { NO_COLOR: '1' } });
  assert.equal((await screen.ended()).status, 0, screen.history());
  return screen.history().split('\n');
}

test('coi list has a line per session with attached users, and saved sessions with their first words', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const talked = bed.screen(['shell', '--image', bed.image]);
  await talked.waitFor('You:');
  const [first = ''] = await bed.instances();
  talked.type('mend the heron\r');
  await talked.waitFor('You said: mend the heron');
  assert.equal((await bed.coi(['shell', '--background', '--image', bed.image])).status, 0);
  const [, second = ''] = await bed.instances();

  const [head, one, two, ...more] = await listRows(bed, 160);
  assert.match(head ?? '', /^NAME +AGENT +STATUS +SLOT +AGE +WORKSPACE +PERSISTENT$/);
  assert.match(
    one ?? '',
    new RegExp(`^${first} +claude +(?:starting|running), attached +1 +\\d+[sm] +\\S+ +no$`),
  );
  assert.match(
    two ?? '',
    new RegExp(`^${second} +claude +(?:starting|running) +2 +\\d+[sm] +\\S+ +no$`),
  );
  assert.deepEqual(more, []);
  for (const line of await listRows(bed, 44)) assert.ok(line.length <= 44, line);

  talked.key('ctrl-b d');
  await talked.ended();
  const [json] = JSON.parse((await bed.coi(['list', '--json'])).stdout).active_containers;
  assert.equal(json.name, first);
  assert.deepEqual(
    [json.slot, json.tool, json.state, json.attached, json.mode, json.ephemeral, json.profile],
    [1, 'claude', 'running', false, 'restricted', true, ''],
  );
  assert.match(json.session_id, /^[0-9a-f-]{36}$/);
  assert.ok(Math.abs(Date.parse(json.last_attached) - Date.now()) < timeout, json.last_attached);

  assert.equal((await bed.coi(['kill', first])).status, 0);
  const saved = (await listRows(bed, 120, '--all')).join('\n');
  assert.match(
    saved,
    new RegExp(`^${json.session_id.slice(0, 8)} +claude +\\d+[sm] +\\S+ +mend the heron$`, 'm'),
  );
  const [kept] = JSON.parse((await bed.coi(['list', '--all', '--json'])).stdout).saved_sessions;
  assert.deepEqual(
    [kept.ID, kept.tool, kept.slot, kept.first_words],
    [json.session_id, 'claude', 1, 'mend the heron'],
  );
  const long = await listRows(bed, 200, '--long', '--all');
  const piped = await bed.coi(['list', '--all']);
  assert.equal(`${long.join('\n')}\n`, piped.stdout);
  assert.match(
    piped.stdout,
    /^Active Containers:\n-+\n {2}\S+ \(ephemeral\)\n {4}Status: Running\n/,
  );
});

test('files that replace a conversation are not followed, waited for or trusted', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  assert.equal((await bed.coi(['shell', '--background', '--image', bed.image])).status, 0);
  const [name = ''] = await bed.instances();
  const [{ session_id: id }] = JSON.parse(
    (await bed.coi(['list', '--json'])).stdout,
  ).active_containers;
  const projects = '/home/code/.claude/projects';
  const secret = `${bed.user.home}/secret.jsonl`;
  const line = JSON.stringify({ type: 'user', message: { content: 'the secret of the host' } });
  execFileSync('sh', ['-c', 'printf "%s\\n" "$1" >"$2"', 'sh', line, secret]);
  const script = [
    `rm -rf ${projects} && mkdir -p ${projects}/a ${projects}/b`,
    `mkfifo ${projects}/a/fifo.jsonl`,
    `ln -s ${secret} ${projects}/a/link.jsonl`,
    `ln -s ${bed.user.home} ${projects}/c`,
    `truncate -s 8G ${projects}/b/sparse.jsonl`,
    `printf '%s\\n' "$LINE" >${projects}/b/steers.jsonl`,
    `touch -d '+1 hour' ${projects}/b/steers.jsonl`,
  ].join('\n');
  const steers = JSON.stringify({
    type: 'user',
    message: { content: 'good\u001b]0;owned\u0007 \u202edlrow\n\nNAME  fake-session  running' },
  });
  const { status, stderr } = await bed.incus.execCaptured(name, {
    command: ['env', `LINE=${steers}`, 'sh', '-c', script],
  });
  assert.equal(status, 0, String(stderr));
  assert.equal((await bed.coi(['kill', name])).status, 0);
  const screen = bed.screen(['list', '--all'], { columns: 150 });
  assert.equal((await screen.ended()).status, 0);
  const text = screen.history();
  assert.ok(!text.includes('the secret of the host'), text);
  assert.match(
    text,
    new RegExp(`^${id.slice(0, 8)} .* good \\]0;owned dlrow NAME fake-session running$`, 'm'),
  );
  assert.ok(!screen.output().includes('\u001b]0;'), 'no title');
});
