// What `coi ports` opened, after a stop and a start of a persistent session; and many at once.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { config, freePort, good, heard, listening, serve, start, untilFree } from './reach-bed.ts';

const timeout = 240_000;

test('a persistent session keeps its ports, configured and added, and tells the agent of them again; one that was taken is left out', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await config(bed, '[ports]\npool = 1\n[[ports.map]]\nname = "web"\ncontainer = 3000\n');
  const name = await start(bed, '--persistent');
  const [kept, lost] = [await freePort(), await freePort()];
  good(await bed.coi(['ports', 'add', `${kept}:4000`, '--name', 'db']));
  good(await bed.coi(['ports', 'add', `${lost}:5000`]));
  const before = JSON.parse(good(await bed.coi(['ports', 'list', '--json'])).stdout).ports;
  const hosts = (before as { host_port: number }[]).map(({ host_port }) => host_port);
  good(await bed.coi(['container', 'stop', name]));
  await untilFree(lost);
  const server = createServer();
  await listening(server, lost, '127.0.0.1');
  try {
    const again = good(await bed.coi(['shell', '--background', '--persistent', '--resume']));
    assert.match(
      again.stderr,
      new RegExp(
        `port ${lost} of this host is in use, so ${lost}->5000 does not lead into ${name} any more`,
      ),
    );
  } finally {
    server.close();
  }
  await serve(bed, name, 4000, 'kept');
  assert.equal(await heard(kept), 'kept');
  const after = JSON.parse(good(await bed.coi(['ports', 'list', '--json'])).stdout).ports;
  assert.deepEqual(
    (after as { host_port: number }[]).map(({ host_port }) => host_port),
    hosts.filter((port) => port !== lost),
  );
  // At once after a stop, when Incus may still have the listeners: nothing is lost.
  good(await bed.coi(['container', 'stop', name]));
  const atOnce = good(await bed.coi(['shell', '--background', '--persistent', '--resume']));
  assert.ok(!atOnce.stderr.includes('any more'), atOnce.stderr);
  const [pool, web] = hosts;
  const variables = good(
    await bed.coi([
      ...['container', 'exec', name, '--', 'sh', '-c'],
      "tr '\\0' '\\n' </proc/$(pgrep -u code -o tmux)/environ | grep COI_PORT | sort",
    ]),
  );
  assert.equal(variables.stdout, `COI_PORTS=${pool}\nCOI_PORT_DB=${kept}\nCOI_PORT_WEB=${web}\n`);
  good(await bed.coi(['kill', name]));
  await untilFree(kept);
});

test('many at once are all there, and a port of root can be had', { timeout }, async () => {
  await using bed = await makeBed();
  await start(bed);
  const ports: number[] = [];
  while (ports.length < 6) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  const all = await Promise.all(ports.map((port) => bed.coi(['ports', 'add', String(port)])));
  for (const said of all) good(said);
  const { ports: listed } = JSON.parse(good(await bed.coi(['ports', 'list', '--json'])).stdout);
  assert.deepEqual(
    (listed as { host_port: number }[]).map(({ host_port }) => host_port).sort(),
    [...ports].sort(),
  );
  const low = 921;
  good(await bed.coi(['ports', 'add', `${low}:3000`]));
  good(await bed.coi(['ports', 'remove', String(low)]));
});
