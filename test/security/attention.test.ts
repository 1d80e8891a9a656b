// Goal: what root in a container writes about its agent harms neither the host nor what coi says about other sessions.
// Method: two sessions with programs named `claude` and files in the form of Claude Code's; one of them is hostile. The
// control is the other one, and the hostile one before and after each attack.
import assert from 'node:assert/strict';
import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { listed } from '../agents/attention-bed.ts';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 180_000;
let bed: Bed;
let hostile: string;
let honest: string;
/** A file of the user's. */
let canary: string;
const longAgo = new Date('2020-01-01');

before(async () => {
  bed = await makeBed();
  for (const slot of ['1', '2']) {
    const started = await bed.coi(['shell', '--background', '--slot', slot, '--image', bed.image]);
    assert.equal(started.status, 0, started.stderr);
  }
  [hostile = '', honest = ''] = await bed.instances();
  canary = join(bed.user.home, 'canary');
  writeFileSync(canary, '{"pid":1,"sessionId":"a","procStart":"1","status":"waiting"}');
  utimesSync(canary, longAgo, longAgo);
  for (const name of [hostile, honest])
    await inside(
      name,
      `install -d -o code -g code ${claude} ${claude}/sessions ${transcripts}
       cp /bin/sleep /tmp/claude && setsid /tmp/claude 100000 >/dev/null 2>&1 </dev/null &
       until pid=$(pgrep -x claude); do :; done; echo $pid >/tmp/pid`,
    );
  await registered(honest, 'busy');
});
after(async () => bed?.[Symbol.asyncDispose]());

const claude = '/home/code/.claude';
const transcripts = `${claude}/projects/-workspace`;
const entry = `${claude}/sessions/$(cat /tmp/pid).json`;

async function inside(name: string, script: string): Promise<string> {
  const result = await bed.coi(['container', 'exec', name, '--', 'sh', '-ec', script]);
  assert.equal(result.status, 0, `${script}: ${result.stderr}`);
  return result.stdout;
}

/** Writes what Claude Code writes about itself. */
function registered(name: string, status: string): Promise<string> {
  const fields = `"sessionId":"one","procStart":"1","cwd":"/workspace","status":"${status}"`;
  return inside(
    name,
    `rm -rf ${entry}; printf '{"pid":%s,${fields},"waitingFor":"permission prompt"}' $(cat /tmp/pid) >${entry}`,
  );
}

/** The states of both, as text and as JSON. */
async function states(): Promise<{ hostile: string; honest: string; text: string; ms: number }> {
  const beginMs = performance.now();
  const { attention } = await listed(bed, hostile);
  const ms = performance.now() - beginMs;
  const other = await listed(bed, honest);
  const { stdout: text, status } = await bed.coi(['list']);
  assert.equal(status, 0);
  return { hostile: attention.status, honest: other.attention.status, text, ms };
}

const attacks: readonly (readonly [string, string])[] = [
  ['a link to a file of the user', `ln -s __CANARY__ ${entry}`],
  ['a link to a file of root', `ln -s /etc/shadow ${entry}`],
  ['a named pipe', `mkfifo ${entry}`],
  ['a directory', `mkdir ${entry}`],
  ['a device', `mknod ${entry} c 1 5 || mkfifo ${entry}`],
  ['a file of 1 GiB', `truncate -s 1G ${entry}`],
  ['JSON that is too deep', `perl -e 'print "[" x 16000' >${entry}`],
  ['the process of another program', `printf '{"pid":1}' >${entry}`],
  ['its directory as a link', `rm -rf ${claude}/sessions; ln -s /etc ${claude}/sessions`],
];

for (const [what, plant] of attacks)
  test(`${what} in place of the registry makes that session's state unknown, and no other's`, {
    timeout,
  }, async () => {
    await inside(
      hostile,
      `rm -rf ${claude}/sessions; install -d -o code -g code ${claude}/sessions`,
    );
    await registered(hostile, 'idle');
    assert.deepEqual(
      { ...(await states()), text: '', ms: 0 },
      {
        hostile: 'idle',
        honest: 'working',
        text: '',
        ms: 0,
      },
    );
    await inside(hostile, `rm -rf ${entry}; ${plant.replace('__CANARY__', canary)}`);
    const { hostile: state, honest: other } = await states();
    assert.deepEqual([state, other], ['unknown', 'working']);
    assert.equal(statSync(canary).atimeMs, longAgo.getTime());
  });

test('coi wait ends within seconds for a session whose state stays unknown', {
  timeout,
}, async () => {
  await inside(hostile, `rm -rf ${claude}/sessions; ln -s /etc ${claude}/sessions`);
  const waited = await bed.coi(['wait', hostile, '--for', 'idle', '--timeout', '30s']);
  assert.equal(waited.status, 1);
  assert.match(waited.stderr, /cannot tell what the agent/);
});

test("another session's process is not taken for an agent of this one", { timeout }, async () => {
  await inside(hostile, `rm -rf ${claude}/sessions; install -d ${claude}/sessions`);
  const pid = (await inside(honest, 'cat /tmp/pid')).trim();
  const other = `{"pid":${pid},"sessionId":"one","procStart":"1","cwd":"/","status":"waiting"}`;
  await inside(
    hostile,
    `[ ${pid} = $(cat /tmp/pid) ] || echo '${other}' >${claude}/sessions/${pid}.json`,
  );
  const { hostile: state, honest: honestState } = await states();
  assert.deepEqual([state, honestState], ['unknown', 'working']);
});

test('the text of a question has no control characters, and a huge or broken transcript is read in part', {
  timeout,
}, async () => {
  await inside(hostile, `rm -rf ${claude}/sessions; install -d ${claude}/sessions`);
  await registered(hostile, 'waiting');
  await inside(
    hostile,
    String.raw`cat >/tmp/write.pl <<'END'
      my $evil = "rm \\u001b]52;c;AAAA\\u0007\\u001b[31m \\u202e \\u009b \xff\xfe \\ud800 " . ("x" x 20000);
      print "{\"type\":\"assistant\",\"message\":{\"content\":[", "[" x 50000, "\n";
      print "x" x 1000000, "\n";
      for my $n (1 .. 40) {
        print "{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"tool_use\",\"id\":\"$n\",\"name\":\"$evil\",\"input\":{\"command\":\"$evil\"}}]}}\n";
      }
END
    perl /tmp/write.pl >${transcripts}/one.jsonl; truncate -s 2G ${transcripts}/other.jsonl`,
  );
  const { hostile: state, honest: other, text } = await states();
  assert.deepEqual([state, other], ['asks', 'working']);
  const { attention } = await listed(bed, hostile);
  assert.ok(attention.asks.length <= 20, String(attention.asks.length));
  for (const { title, body } of attention.asks) {
    assert.doesNotMatch(
      `${title}${body}`,
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/,
    );
    assert.ok(title.length <= 120 && body.length <= 4096);
    assert.ok(body.isWellFormed());
  }
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
});

test('thousands of files and a registry that changes all the time do not slow down coi list or wait', {
  timeout,
}, async () => {
  await inside(hostile, `rm -rf ${claude}/sessions; install -d ${claude}/sessions`);
  await registered(hostile, 'busy');
  const { ms: before } = await states();
  await inside(
    hostile,
    `cd ${claude}/sessions; seq 5000 | sed 's/$/.json/' | xargs touch
     for n in $(seq 3000); do mkdir ${claude}/projects/p$n; done; install -d ${transcripts}/one/subagents
     cd ${transcripts}/one/subagents; seq -f 'agent-%g.jsonl' 5000 | xargs touch`,
  );
  await registered(hostile, 'waiting');
  await inside(
    hostile,
    `(while :; do cp ${entry} /tmp/copy; cat /tmp/copy >${entry}; done) >/dev/null 2>&1 </dev/null & echo $! >/tmp/loop`,
  );
  const { hostile: state, honest: other, ms } = await states();
  assert.ok(['asks', 'unknown'].includes(state), state);
  assert.equal(other, 'working');
  assert.ok(ms < 2 * before + 500, `${ms} ms, ${before} ms before`);
  const waited = await bed.coi(['wait', hostile, honest, '--for', 'idle', '--timeout', '3s']);
  assert.equal(waited.status, 124, waited.stderr);
  await inside(hostile, 'kill $(cat /tmp/loop)');
});
