// incusd is killed under a session, on a private host: container and conversation survive.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { testImage } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { coiPath } from '../bed/program.ts';
import { type Screen, startScreen } from '../bed/screen.ts';
import { endMs, prompt, sendMessage, startMs } from '../lifecycle/conversation.ts';
import { occurrences } from '../terminal/session.ts';
import { PrivateHost } from './private-host.ts';

const coi = coiPath();
const setup = [coi, 'setup', '--yes'];
/** Limit for the event on a busy machine; the documented one is one second. */
const reportMs = 3000;

test('a session survives an incusd outage: its end is not assumed, and afterwards it works as before', {
  timeout: 300_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp('/var/tmp/coit-incusd-');
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const [home, work] = [`${directory}/home`, `${directory}/work`];
  await Promise.all([mkdir(home), mkdir(work)]);
  const host = stack.use(await PrivateHost.open());
  const done = async (...argv: string[]) => {
    const { status, stdout, stderr } = await host.run(...argv);
    assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`);
    return stdout;
  };
  await done(...setup);
  await mustRun(['incus', 'image', 'export', testImage, `${directory}/image`], { limitMs: 60_000 });
  await done('sh', '-c', `incus image import ${directory}/image* --alias ${testImage}`);
  const env = {
    HOME: home,
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    COI_USE_DUMMY: '1',
  };
  const screen = (...args: string[]): Screen => {
    const argv = host.enter(coi, ...args, '--workspace', work);
    return stack.adopt(startScreen(argv, { cwd: directory, env }), (one) => one.close());
  };

  const first = screen('shell', '--image', testImage, '--verbose');
  await first.waitFor('You:', startMs);
  await sendMessage(first, 'before');
  const server = JSON.parse(await done('incus', 'query', '/1.0'));
  await done('kill', '-KILL', String(server.environment.server_pid));
  const killedMs = performance.now();
  const { status, atMs } = await first.ended(endMs);
  assert.equal(status, 0);
  assert.ok(atMs - killedMs < reportMs, `told after ${atMs - killedMs} ms`);
  assert.equal(occurrences(first.history(), 'Cleaning up session...'), 1);
  assert.match(first.history(), /Incus does not answer, so nothing was changed/);
  const away = await host.run(coi, 'list');
  assert.equal(away.status, 1);
  assert.match(away.stderr, /Incus is not running on this host/);

  await done(...setup);
  assert.match(await done(coi, 'list'), /Status: Running/);
  const back = screen('attach', '--verbose');
  await back.waitFor('You: before', startMs);
  await sendMessage(back, 'after');
  back.type('/exit\r');
  await back.waitFor(prompt);
  back.type('sudo poweroff\r');
  await back.ended(endMs);
  assert.match(back.history(), /Container removed \(session data saved for --resume\)/);
  const resumed = screen('shell', '--resume', '--image', testImage);
  await resumed.waitFor(/> before[\s\S]*> after/, startMs);
});
