import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NetworkMode } from '../../coid-api/network-protocol.ts';
import { CoiError } from '../../errors.ts';
import { defaultPolicy, networkPolicy } from '../../network/policy.ts';
import type { NetworkGuards } from './network-guards.ts';
import { NetworkService } from './network-service.ts';
import { Permits } from './permits.ts';
import { tableNames } from './table-names.ts';

const peer = (uid: number) => ({ pid: 1, uid, gid: uid, groups: [] });
const hour = 3_600_000;

function service(mode: NetworkMode) {
  const permitted: string[] = [];
  const port = {
    hostName: 'coi1',
    bridge: 'br0',
    gateway: '10.77.0.1',
    mac: '10:66:6a:00:00:01',
    address: '10.77.2.1',
    policy: networkPolicy(defaultPolicy(mode)),
    permits: [],
  };
  const guards = {
    sessions: () => [{ container: 'coi-a-1', id: 'a', owner: 1000, workspace: '/w', port }],
    permit: async (_: unknown, entry: string) => void permitted.push(entry),
    denials: async () => [
      { source: '10.77.2.1', address: '10.0.0.1', protocol: 'tcp', port: 80, secondsAgo: 1 },
      { source: '10.77.2.2', address: '10.0.0.2', protocol: 'tcp', port: 80, secondsAgo: 1 },
    ],
    permits: { of: () => [] },
    attached: () => [],
    activeRules: () => port,
    dns: { refusedNames: () => [] },
  } as unknown as NetworkGuards;
  const world = {
    bridge: async () => ({ name: 'br0', gateway: '10.77.0.1', prefixLength: 22, free: [] }),
  };
  const network = new NetworkService({
    guards,
    incusCache: world as never,
    log: () => undefined,
    now: () => new Date(),
  });
  return { network, permitted };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'done';
  } catch (error) {
    return error instanceof CoiError ? error.code : String(error);
  }
}

test("only a session's owner and root can see and open its network", async () => {
  const { network, permitted } = service('allowlist');
  const permit = { id: 'a', entry: 'example.org', forMs: hour };
  assert.equal(await codeOf(network.report('coi-a-1', peer(1001))), 'session-not-found');
  assert.equal(await codeOf(network.permit('coi-a-1', peer(1001), permit)), 'session-not-found');
  assert.deepEqual(permitted, []);
  for (const uid of [0, 1000])
    assert.equal(await codeOf(network.permit('coi-a-1', peer(uid), permit)), 'done');
  assert.deepEqual(permitted, ['example.org', 'example.org']);
});

test('a permit for an earlier session does not apply to a later one of the same name', async () => {
  const { network, permitted } = service('allowlist');
  const permit = { id: 'earlier', entry: 'example.org', forMs: hour };
  assert.equal(await codeOf(network.permit('coi-a-1', peer(1000), permit)), 'session-not-found');
  assert.deepEqual(permitted, []);
});

test('a network report contains only refusals of its session', async () => {
  const { network } = service('restricted');
  const { denials } = await network.report('coi-a-1', peer(1000));
  assert.deepEqual(
    denials.map(({ address }) => address),
    ['10.0.0.1'],
  );
});

test('destinations that no user may permit are refused in every notation', async () => {
  const { network, permitted } = service('allowlist');
  const bodies: [object | undefined, string][] = [
    [undefined, 'usage'],
    [{ entry: 'example.org', forMs: hour, id: undefined }, 'usage'],
    [{ entry: 'example.org' }, 'usage'],
    [{ entry: 'example.org', forMs: 0 }, 'usage'],
    [{ entry: 'example.org', forMs: 8 * 24 * hour }, 'usage'],
    [{ entry: 'example.org', forMs: Number.NaN }, 'usage'],
    [{ entry: ['example.org'], forMs: hour }, 'usage'],
    [{ entry: 'exa mple.org', forMs: hour }, 'config-invalid'],
    [{ entry: '169.254.169.254', forMs: hour }, 'usage'],
    [{ entry: '0.0.0.0/0', forMs: hour }, 'usage'],
    [{ entry: '127.0.0.1', forMs: hour }, 'usage'],
    [{ entry: '168.63.0.0/16', forMs: hour }, 'usage'],
  ];
  for (const [body, code] of bodies)
    assert.equal(
      await codeOf(network.permit('coi-a-1', peer(1000), body && { id: 'a', ...body })),
      code,
      JSON.stringify(body),
    );
  assert.deepEqual(permitted, []);
});

test('a permit that would change nothing is refused', async () => {
  assert.equal(
    await codeOf(
      service('open').network.permit('coi-a-1', peer(0), {
        id: 'a',
        entry: '10.0.0.1',
        forMs: hour,
      }),
    ),
    'usage',
  );
  assert.equal(
    await codeOf(
      service('restricted').network.permit('coi-a-1', peer(0), {
        id: 'a',
        entry: 'example.org',
        forMs: hour,
      }),
    ),
    'usage',
  );
  assert.equal(
    await codeOf(
      service('restricted').network.permit('coi-a-1', peer(0), {
        id: 'a',
        entry: '10.0.0.1:22',
        forMs: hour,
      }),
    ),
    'done',
  );
});

test('permits survive a coid restart and expire, and a damaged file permits nothing', () => {
  const directory = mkdtempSync(join(tmpdir(), 'coit-permits-'));
  try {
    const path = join(directory, 'permits.json');
    let now = new Date('2026-01-01T00:00:00Z');
    const clock = () => now;
    const first = new Permits(path, clock);
    first.add('coi1', { entry: 'a.example.org', until: '2026-01-01T00:30:00.000Z' });
    first.add('coi1', { entry: 'b.example.org', until: '2026-01-01T02:00:00.000Z' });
    const second = new Permits(path, clock);
    assert.equal(second.of('coi1').length, 2);
    assert.equal(second.nextEnd()?.toISOString(), '2026-01-01T00:30:00.000Z');
    now = new Date('2026-01-01T01:00:00Z');
    assert.deepEqual(
      second.of('coi1').map(({ entry }) => entry),
      ['b.example.org'],
    );
    assert.deepEqual(second.expire(), ['coi1']);
    assert.deepEqual(second.expire(), []);
    second.remove('coi1');
    assert.deepEqual(new Permits(path, clock).of('coi1'), []);
    rmSync(path);
    assert.equal(new Permits(path, clock).nextEnd(), undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a coid with another prefix has its own tables and port', () => {
  assert.deepEqual(tableNames('/run/coi'), { table: 'coi', dnsPort: 7453 });
  assert.notEqual(tableNames('/run/coi-a').table, tableNames('/run/coi-b').table);
  assert.match(tableNames('/run/coi-a').table, /^coi_[0-9a-f]{8}$/);
});
