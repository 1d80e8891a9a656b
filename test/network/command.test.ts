// `coi network` run by an ordinary user, with a session that coi itself started.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { type Internet, openInternet, resolver } from './internet.ts';
import { enter, type NamespaceAgent } from './tenant.ts';

describe('coi network', () => {
  let net: Internet;
  let bed: Bed;
  let agent: NamespaceAgent;
  let container: string;

  before(async () => {
    net = await openInternet();
    await net.zone({
      'www.example.org': {
        answers: [{ name: 'www.example.org', type: 'A', ttl: 5, data: '104.16.1.1' }],
      },
      'later.example.net': {
        answers: [{ name: 'later.example.net', type: 'A', ttl: 5, data: '104.16.1.2' }],
      },
    });
    for (const address of ['104.16.1.1', '104.16.1.2', '93.184.215.14', '8.8.8.8', '10.99.9.9'])
      await net.assertEnclosed(address);
    bed = await makeBed({ who: 'ordinary' });
    const { home, uid, gid } = bed.user;
    await mkdir(`${home}/.coi`, { recursive: true });
    // A file that sets some keys keeps all other defaults.
    const config = `[network]\nmode = "allowlist"\nallowed_domains = ["www.example.org:80"]\ndns_servers = ["${resolver}"]\n`;
    await writeFile(`${home}/.coi/config.toml`, config);
    for (const path of [`${home}/.coi`, `${home}/.coi/config.toml`]) await chown(path, uid, gid);
    const started = await bed.coi(['shell', '--background', '--image', bed.image]);
    assert.equal(started.status, 0, started.stderr);
    [container = ''] = await bed.instances();
    const found = await bed.incus.instance(container);
    agent = await enter(bed.incus, container, found?.instance.config['user.coi.nameserver'] ?? '');
  });
  after(async () => {
    agent?.stop();
    await bed?.[Symbol.asyncDispose]();
    await net?.close();
  });

  const json = async (...args: string[]) => {
    const { stdout, stderr } = await bed.coi(['network', ...args, '--json']);
    try {
      return JSON.parse(stdout) as unknown;
    } catch {
      return assert.fail(`no JSON: ${stdout}${stderr}`);
    }
  };

  test("a session gets the user's network configuration", async () => {
    assert.equal((await agent.dns('www.example.org')).rcode, 'NOERROR');
    assert.equal(await agent.tcp('104.16.1.1', 80), 'open');
    assert.equal(await agent.tcp('104.16.1.1', 5000), 'ECONNREFUSED');
    assert.equal(await agent.tcp('10.99.9.9', 80), 'ECONNREFUSED');
    const { sessions } = (await json('show')) as {
      sessions: {
        container: string;
        inForce: boolean;
        policy: { mode: string; allow: string[]; blockMetadata: boolean };
      }[];
    };
    assert.deepEqual(
      sessions.map((one) => [
        one.container,
        one.inForce,
        one.policy.mode,
        one.policy.allow,
        one.policy.blockMetadata,
      ]),
      [[container, true, 'allowlist', ['www.example.org:80'], true]],
    );
  });

  test('Incus and coid listen on the host but cannot be reached from the session', async () => {
    const socketPaths = ['/dev/incus', '/var/lib/incus', '/run/incus', bed.coid.runDir, '/run/coi'];
    assert.ok(existsSync('/var/lib/incus/unix.socket'));
    assert.ok(existsSync(`${bed.coid.runDir}/coid.sock`));
    const script = `ls -d ${socketPaths.join(' ')} 2>/dev/null; find / -xdev -type s -name '*coid*' -o -xdev -type s -name 'incus*'; ss -xlH | grep -e coid -e incus; true`;
    const found = await bed.coi(['container', 'exec', container, '--', 'sh', '-c', script]);
    assert.equal(found.stdout, '', found.stderr);
    assert.equal(found.status, 0);
  });

  test('coi network lists refused connections with rule and permit command', async () => {
    await agent.tcp('93.184.215.14', 8443);
    await agent.dns('later.example.net');
    const lines = (await json('log')) as { destination: string; rule: string; permit: string }[];
    const line = (destination: string) => lines.find((one) => one.destination === destination);
    assert.equal(line('tcp 93.184.215.14:8443')?.rule, 'allowed_domains');
    assert.match(
      line('later.example.net A')?.permit ?? '',
      /coi network allow later\.example\.net/,
    );
    const text = await bed.coi(['network', 'log']);
    assert.match(
      text.stdout,
      /later\.example\.net A {2}allowed_domains: .*; to allow it: coi network allow/,
    );
  });

  test('coi network why judges a destination, and its exit status tells the verdict', async () => {
    const refused = await bed.coi(['network', 'why', '93.184.215.14:443']);
    assert.equal(refused.status, 1);
    assert.match(refused.stdout, /refused by allowed_domains/);
    const wrong = await bed.coi(['network', 'why', 'http://example.org/']);
    assert.equal(wrong.status, 2);
    const metadata = await bed.coi(['network', 'why', '169.254.169.254']);
    assert.match(metadata.stdout, /refused by block_metadata_endpoint/);
    const nobody = await bed.coi(['network', 'why', '-c', 'nosuch', '93.184.215.14:443']);
    assert.equal(nobody.status, 1);
    assert.match(nobody.stderr, /^Error: container "nosuch" not found\nHint: Run `coi list`/);
  });

  test('coi network permit opens a host temporarily and at once, for this session only', async () => {
    assert.equal((await agent.dns('later.example.net')).rcode, 'NXDOMAIN');
    const allowed = await bed.coi(['network', 'allow', 'later.example.net:80', '--for', '10m']);
    assert.equal(allowed.status, 0, allowed.stderr);
    assert.match(allowed.stdout, /later\.example\.net:80 is open to .* until /);
    assert.equal((await agent.dns('later.example.net')).rcode, 'NOERROR');
    assert.equal(await agent.tcp('104.16.1.2', 80), 'open');
    assert.equal(await agent.tcp('104.16.1.2', 5000), 'ECONNREFUSED');
    for (const args of [
      ['allow', '169.254.169.254'],
      ['allow', 'x.org', '--for', 'soon'],
      ['allow', '0.0.0.0/0'],
      ['allow', 'a b'],
      ['allow', 'x.org:0'],
    ]) {
      const result = await bed.coi(['network', ...args]);
      assert.equal(result.status, 2, args.join(' '));
      assert.match(result.stderr, /^Error: /m, args.join(' '));
    }
  });

  test('coi network log -f prints new entries until interrupted or the session ends', async () => {
    const screen = bed.screen(['network', 'log', '--follow'], { columns: 300 });
    await screen.waitFor('93.184.215.14:8443');
    const other = bed.screen(['network', 'log', '--follow'], { columns: 300 });
    await other.waitFor('93.184.215.14:8443');
    other.key('ctrl-c');
    assert.equal((await other.ended()).status, 130);
    assert.match(other.history(), /interrupted by SIGINT/);
    await agent.tcp('93.184.215.14', 22);
    await screen.waitFor('tcp 93.184.215.14:22  allowed_domains');
    assert.equal((await bed.coi(['kill', container])).status, 0);
    assert.equal((await screen.ended()).status, 0);
    assert.match(screen.history(), /No session is running here anymore/);
  });
});
