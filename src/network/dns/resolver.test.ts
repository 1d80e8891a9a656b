import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, encode } from 'dns-packet';
import type { PolicyRecord } from '../../coid-api/network-protocol.ts';
import { setsFor } from '../destination-rules.ts';
import type { ResolvedAddress } from '../guard.ts';
import type { GuardedPort } from '../guarded-port.ts';
import { defaultPolicy, networkPolicy } from '../policy.ts';
import { Resolver, type ResolverParts } from './resolver.ts';

type Records = readonly { name: string; type: 'A' | 'CNAME' | 'TXT'; ttl: number; data: string }[];

function port(allow: readonly string[], change: Partial<PolicyRecord> = {}): GuardedPort {
  const policy = networkPolicy({ ...defaultPolicy('allowlist'), allow, ...change });
  return {
    hostName: 'coi1',
    bridge: 'br0',
    gateway: '10.77.0.1',
    mac: '10:66:6a:00:00:01',
    address: '10.77.2.1',
    policy,
    permits: [],
  };
}

/** A resolver with one session, servers that know `zone`, and an ordered record of events. */
function bed(
  session: GuardedPort,
  zone: Readonly<Record<string, Records>>,
  more: Partial<ResolverParts> = {},
) {
  const happened: string[] = [];
  const opened: ResolvedAddress[] = [];
  const queries: string[] = [];
  let nowMs = 0;
  const resolver = new Resolver(
    {
      session: (address) => (address === session.address ? session : undefined),
      ask: async (servers, name, type) => {
        queries.push([name, type, ...servers].join(' '));
        const answers = zone[name];
        return encode({
          id: 1,
          type: 'response',
          flags: answers ? 0x8180 : 0x8183,
          questions: [{ name, type: type as 'A', class: 'IN' }],
          answers: (answers ?? []).map((one) => ({ ...one, class: 'IN' as const })) as never,
        });
      },
      open: async (addresses) => {
        happened.push('opened');
        opened.push(...addresses);
      },
      attached: () => [],
      onRefused: (_, name) => void happened.push(`refused ${name}`),
      elapsedMs: () => nowMs,
      ...more,
    },
    { perSecond: 10, burst: 20, waiting: 4 },
  );
  const ask = async (name: string, type = 'A', from = session.address) => {
    const bytes = await resolver.answer(
      encode({
        id: 9,
        type: 'query',
        flags: 0x100,
        questions: [{ name, type: type as 'A', class: 'IN' }],
      }),
      from,
      'udp',
    );
    happened.push('answered');
    return bytes && (decode(bytes) as ReturnType<typeof decode> & { rcode: string });
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { ask, happened, opened, asked: queries, session, pass };
}

const www: Records = [
  { name: 'www.example.org', type: 'CNAME', ttl: 300, data: 'edge.cdn.test' },
  { name: 'edge.cdn.test', type: 'A', ttl: 5, data: '93.184.215.14' },
];

describe('a listed name', () => {
  test('a listed name is opened before it is answered, for longer than its TTL', async () => {
    const { ask, happened, opened, session } = bed(port(['www.example.org:443']), {
      'www.example.org': www,
    });
    const reply = await ask('www.example.org');
    assert.deepEqual(happened, ['opened', 'answered']);
    assert.deepEqual(opened, [
      {
        set: setsFor('www.example.org', session.policy, 'coi1')[0],
        address: 0x5db8d70e,
        seconds: 120,
      },
    ]);
    assert.deepEqual(
      reply?.answers?.map((one) => ('ttl' in one ? one.ttl : undefined)),
      [5, 5],
    );
  });

  test('a listed name opens exactly the sets of matching entries', async () => {
    const { ask, opened, session } = bed(
      port(['www.example.org:443', '*.example.org:80', 'other.test:22']),
      { 'www.example.org': www },
    );
    await ask('www.example.org');
    const sets = opened.map(({ set }) => set).sort();
    assert.deepEqual(sets, [...setsFor('www.example.org', session.policy, 'coi1')].sort());
    assert.equal(sets.length, 2);
  });

  test('a listed name is resolved along its alias', async () => {
    const { ask, opened, asked } = bed(port(['www.example.org']), {
      'www.example.org': www.slice(0, 1),
      'edge.cdn.test': www.slice(1),
    });
    await ask('www.example.org');
    assert.deepEqual(asked, ['www.example.org A', 'edge.cdn.test A']);
    assert.equal(opened.length, 1);
  });

  test('a listed name is not answered if it could not be opened', async () => {
    const { ask } = bed(
      port(['www.example.org']),
      { 'www.example.org': www },
      { open: () => Promise.reject(new Error('nft refused')) },
    );
    const reply = await ask('www.example.org');
    assert.equal(reply?.rcode, 'SERVFAIL');
    assert.deepEqual(reply?.answers, []);
  });

  test('private, metadata and local addresses of a listed name are refused; other addresses are kept', async () => {
    const both: Records = [
      { name: 'a.example.org', type: 'A', ttl: 5, data: '10.0.0.1' },
      { name: 'a.example.org', type: 'A', ttl: 5, data: '93.184.215.14' },
    ];
    const one = (data: string): Records => [{ name: 'b.example.org', type: 'A', ttl: 5, data }];
    const mixed = bed(port(['a.example.org']), { 'a.example.org': both });
    assert.deepEqual(
      (await mixed.ask('a.example.org'))?.answers?.map((record) =>
        'data' in record ? record.data : '',
      ),
      ['93.184.215.14'],
    );
    assert.equal(mixed.opened.length, 1);
    for (const address of [
      '10.0.0.1',
      '127.0.0.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
    ]) {
      const { ask, opened } = bed(port(['b.example.org']), { 'b.example.org': one(address) });
      assert.equal((await ask('b.example.org'))?.rcode, 'NXDOMAIN', address);
      assert.deepEqual(opened, [], address);
    }
    const local = bed(port(['b.example.org'], { allowLocal: true }), {
      'b.example.org': one('10.0.0.1'),
    });
    assert.equal((await local.ask('b.example.org'))?.rcode, 'NOERROR');
  });

  test('a listed name has no AAAA or records that bypass the check; TXT is forwarded', async () => {
    const { ask, opened, asked } = bed(port(['www.example.org']), {
      'www.example.org': [{ name: 'www.example.org', type: 'TXT', ttl: 5, data: 'hello' }],
    });
    for (const type of ['AAAA', 'UNKNOWN_65'])
      assert.deepEqual((await ask('www.example.org', type))?.answers, [], type);
    assert.deepEqual(asked, []);
    assert.equal((await ask('www.example.org', 'TXT'))?.answers?.length, 1);
    assert.deepEqual(opened, []);
  });
});

describe('a name that is not listed', () => {
  test('an unlisted name is never forwarded, whatever the type', async () => {
    const { ask, asked, happened } = bed(port(['www.example.org']), {});
    for (const type of ['A', 'AAAA', 'TXT', 'MX', 'NULL', 'PTR', 'CNAME']) {
      const reply = await ask(`secret-${type}.evil.com`, type);
      assert.equal(reply?.rcode, type === 'TXT' ? 'NOERROR' : 'NXDOMAIN', type);
    }
    assert.deepEqual(asked, []);
    assert.equal(happened.filter((one) => one.startsWith('refused')).length, 7);
  });

  test('a name is refused with an empty list, or if it only looks like an entry', async () => {
    const empty = bed(port([]), { 'www.example.org': www });
    assert.equal((await empty.ask('www.example.org'))?.rcode, 'NXDOMAIN');
    const alike = bed(port(['example.org', '*.allowed.com']), {});
    for (const name of [
      'www.example.org',
      'example.org.evil.com',
      'evilallowed.com',
      'allowed.com',
    ])
      assert.equal((await alike.ask(name))?.rcode, 'NXDOMAIN', name);
    assert.deepEqual(alike.asked, []);
  });
});

test('only sessions are answered', async () => {
  const { ask, asked } = bed(port(['www.example.org']), { 'www.example.org': www });
  assert.equal(await ask('www.example.org', 'A', '10.77.2.99'), undefined);
  assert.deepEqual(asked, []);
});

test('a flood is ignored, and the session is answered again once it stops', async () => {
  const { ask, pass } = bed(port(['www.example.org']), { 'www.example.org': www });
  const replies = await Promise.all(Array.from({ length: 30 }, () => ask('evil.com')));
  assert.equal(replies.filter((reply) => reply !== undefined).length, 20);
  pass(1000);
  assert.equal((await ask('evil.com'))?.rcode, 'NXDOMAIN');
});

test('a silent server keeps only a few questions of a session waiting, and is reported', async () => {
  let release: (value: undefined) => void = () => undefined;
  const silent = new Promise<undefined>((resolve) => {
    release = resolve;
  });
  const { ask } = bed(port(['www.example.org']), {}, { ask: () => silent });
  const waiting = Array.from({ length: 6 }, () => ask('www.example.org'));
  const over = await Promise.race([Promise.all(waiting.slice(4)), silent]);
  assert.deepEqual(over, [undefined, undefined]);
  release(undefined);
  const replies = await Promise.all(waiting.slice(0, 4));
  assert.deepEqual(
    replies.map((reply) => reply?.rcode),
    ['SERVFAIL', 'SERVFAIL', 'SERVFAIL', 'SERVFAIL'],
  );
});

test("the user's own host names and servers are used", async () => {
  const hosts = [{ address: '192.0.2.1', names: ['db.test'], ports: [] }];
  const { ask, asked } = bed(port(['www.example.org'], { hosts, dnsServers: ['192.0.2.53'] }), {
    'www.example.org': www,
  });
  assert.deepEqual(
    (await ask('DB.test'))?.answers?.map((one) => ('data' in one ? one.data : '')),
    ['192.0.2.1'],
  );
  await ask('www.example.org');
  assert.deepEqual(asked, ['www.example.org A 192.0.2.53']);
});
