import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CoiError } from '../errors.ts';
import { entryText, matchesName, parseEntry, parsePorts } from './entry.ts';
import { parseHostname } from './hostname.ts';

const runs = { numRuns: 300 };

test('hosts, wildcard names, addresses and networks are entries, each in one canonical form', () => {
  const forms: readonly [string, string][] = [
    ['api.example.org', 'api.example.org'],
    ['API.Example.ORG.', 'api.example.org'],
    ['*.example.org:443', '*.example.org:443'],
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.77/24:80,443', '192.0.2.0/24:80,443'],
    ['example.org:8000-8010,443,8005-8020', 'example.org:443,8000-8020'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['Bücher.example', 'xn--bcher-kva.example'],
  ];
  for (const [given, canonical] of forms) assert.equal(entryText(parseEntry(given)), canonical);
});

test('text that two programs could read differently is not an entry', () => {
  const hostile = [
    '',
    '*',
    '*.org',
    '*.*.example.org',
    'exa*mple.org',
    '.example.org',
    'example..org',
    'example.org..',
    'user@example.org',
    'http://example.org',
    'example.org/path',
    'example.org:0',
    'example.org:65536',
    'example.org:443-80',
    'example.org:',
    'example.org:443:443',
    'evil.example\u0000.example.org',
    'example.org\n',
    ' example.org',
    'example.org%00',
    '[::1]',
    '::1',
    'fe80::1%eth0',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/024',
    '-example.org',
    'example-.org',
    `${'a'.repeat(64)}.org`,
    `${'a.'.repeat(130)}org`,
    '@npm-registry',
  ];
  for (const text of hostile) {
    assert.throws(
      () => parseEntry(text),
      (error) => error instanceof CoiError && error.code === 'config-invalid',
      text,
    );
  }
});

test('an entry matches its name, or names below it, but no look-alikes', () => {
  const allowed = parseEntry('allowed.com');
  const below = parseEntry('*.allowed.com');
  for (const name of ['evilallowed.com', 'allowed.com.evil.org', 'allowed.co', 'sub.allowed.com'])
    assert.equal(matchesName(allowed, name), false, name);
  for (const name of ['allowed.com', 'evilallowed.com', 'allowed.com.evil.org'])
    assert.equal(matchesName(below, name), false, name);
  for (const name of ['a.allowed.com', 'a.b.allowed.com'])
    assert.equal(matchesName(below, name), true, name);
});

test('a canonical entry parses to itself', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/);
  const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
  const port = fc.integer({ min: 1, max: 65_535 });
  const ports = fc.oneof(
    fc.constant(''),
    fc.array(port, { minLength: 1, maxLength: 5 }).map((list) => `:${list.join(',')}`),
  );
  const network = fc
    .tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))
    .map(([address, length]) => `${address}/${length}`);
  const host = fc.oneof(
    name,
    name.map((one) => `*.${one}`),
    fc.ipV4(),
    network,
  );
  fc.assert(
    fc.property(host, ports, (text, list) => {
      const once = entryText(parseEntry(text + list));
      assert.equal(entryText(parseEntry(once)), once);
    }),
    runs,
  );
});

test('the parsers never throw, and a name has plain letters only', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ maxLength: 80 }),
    fc.domain(),
  );
  fc.assert(
    fc.property(text, (given) => {
      const name = parseHostname(given);
      if (name !== undefined) {
        assert.match(name, /^[a-z0-9_.-]{1,253}$/);
        assert.equal(parseHostname(name), name);
      }
      try {
        parseEntry(given);
      } catch (error) {
        assert.ok(error instanceof CoiError);
      }
      parsePorts(given);
    }),
    runs,
  );
});

test('international names and their encoded form are one name', () => {
  assert.equal(parseHostname('BÜCHER.example'), 'xn--bcher-kva.example');
  assert.equal(parseHostname('xn--bcher-kva.example'), 'xn--bcher-kva.example');
  assert.equal(parseHostname('evil.com\u3002allowed.com'), 'evil.com.allowed.com');
  assert.equal(parseHostname('allowed.com@evil.com'), undefined);
});
