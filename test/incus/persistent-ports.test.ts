// Ports opened with `coi ports`, after a stop and a start of a persistent session; and many at once.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import {
  assertSucceeded,
  freePort,
  listen,
  receive,
  serve,
  startSession,
  untilFree,
  writeConfig,
} from './port-bed.ts';

const timeout = 240_000;

test('a persistent session keeps configured and added ports and shows them again; a port in use is left out', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await writeConfig(bed, '[ports]\npool = 1\n[[ports.map]]\nname = "web"\ncontainer = 3000\n');
  const name = await startSession(bed, '--persistent');
  const [kept, lost] = [await freePort(), await freePort()];
  assertSucceeded(await bed.coi(['ports', 'add', `${kept}:4000`, '--name', 'db']));
  assertSucceeded(await bed.coi(['ports', 'add', `${lost}:5000`]));
  const before = JSON.parse(
    assertSucceeded(await bed.coi(['ports', 'list', '--json'])).stdout,
  ).ports;
  const hosts = (before as { host_port: number }[]).map(({ host_port }) => host_port);
  assertSucceeded(await bed.coi(['container', 'stop', name]));
  await untilFree(lost);
  const server = createServer();
  await listen(server, lost, '127.0.0.1');
  try {
    const again = assertSucceeded(
      await bed.coi(['shell', '--background', '--persistent', '--resume']),
    );
    assert.match(
      again.stderr,
      new RegExp(
        `port ${lost} of this host is in use, so ${lost}->5000 is no longer forwarded to ${name}`,
      ),
    );
  } finally {
    server.close();
  }
  await serve(bed, name, 4000, 'kept');
  assert.equal(await receive(kept), 'kept');
  const after = JSON.parse(
    assertSucceeded(await bed.coi(['ports', 'list', '--json'])).stdout,
  ).ports;
  assert.deepEqual(
    (after as { host_port: number }[]).map(({ host_port }) => host_port),
    hosts.filter((port) => port !== lost),
  );
  // Right after a stop, when Incus may still have the listeners: nothing is lost.
  assertSucceeded(await bed.coi(['container', 'stop', name]));
  const atOnce = assertSucceeded(
    await bed.coi(['shell', '--background', '--persistent', '--resume']),
  );
  assert.ok(!atOnce.stderr.includes('no longer forwarded'), atOnce.stderr);
  const [pool, web] = hosts;
  const variables = assertSucceeded(
    await bed.coi([
      ...['container', 'exec', name, '--', 'sh', '-c'],
      "tr '\\0' '\\n' </proc/$(pgrep -u code -o tmux)/environ | grep COI_PORT | sort",
    ]),
  );
  assert.equal(variables.stdout, `COI_PORTS=${pool}\nCOI_PORT_DB=${kept}\nCOI_PORT_WEB=${web}\n`);
  assertSucceeded(await bed.coi(['kill', name]));
  await untilFree(kept);
});

test('many ports opened at once are all kept, and privileged ports can be used', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await startSession(bed);
  const ports: number[] = [];
  while (ports.length < 6) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  const all = await Promise.all(ports.map((port) => bed.coi(['ports', 'add', String(port)])));
  for (const result of all) assertSucceeded(result);
  const { ports: listed } = JSON.parse(
    assertSucceeded(await bed.coi(['ports', 'list', '--json'])).stdout,
  );
  assert.deepEqual(
    (listed as { host_port: number }[]).map(({ host_port }) => host_port).sort(),
    [...ports].sort(),
  );
  const low = 921;
  assertSucceeded(await bed.coi(['ports', 'add', `${low}:3000`]));
  assertSucceeded(await bed.coi(['ports', 'remove', String(low)]));
});
