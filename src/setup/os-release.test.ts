import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDeb822, parseSourceLines } from './apt-sources.ts';
import { derivedSource, hasSuite, incusOrigin, mainSource, parseRelease } from './os-release.ts';

const release = (id: string, version: string, codename = 'name') =>
  parseRelease(`ID=${id}\nVERSION_ID="${version}"\nVERSION_CODENAME=${codename}\n`);

test('the source of Incus depends on the release', () => {
  assert.deepEqual(incusOrigin(release('debian', '12', 'bookworm')), {
    kind: 'backports',
    codename: 'bookworm',
  });
  assert.equal(incusOrigin(release('debian', '13')).kind, 'main');
  assert.equal(incusOrigin(parseRelease('ID=debian\nVERSION_CODENAME=forky\n')).kind, 'main');
  assert.equal(incusOrigin(release('debian', '11')).kind, 'unknown');
  assert.equal(incusOrigin(release('ubuntu', '24.04')).kind, 'main');
  assert.equal(incusOrigin(release('ubuntu', '22.04')).kind, 'unknown');
  assert.equal(incusOrigin(release('fedora', '42')).kind, 'unknown');
});

const deb822 = `# http://snapshot.example/1
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Architectures: amd64
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm-backports
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/k.gpg
`;

test('deb822 stanzas are parsed with their keys, without disabled ones', () => {
  const sources = parseDeb822(deb822);
  assert.deepEqual(
    sources.map(({ suites }) => suites),
    [['bookworm', 'bookworm-updates'], ['bookworm-security']],
  );
  assert.equal(hasSuite(sources, 'bookworm-backports'), false);
  assert.equal(mainSource(sources, 'bookworm')?.uris[0], 'http://mirror.example/debian');
});

test('a derived source reads back as the same mirror with the other suite', () => {
  const source = mainSource(parseDeb822(deb822), 'bookworm');
  assert.ok(source);
  const [derived] = parseDeb822(derivedSource(source, 'bookworm-backports'));
  assert.deepEqual(derived, {
    types: ['deb'],
    uris: ['http://mirror.example/debian'],
    suites: ['bookworm-backports'],
    components: ['main'],
    options: source.options,
  });
  assert.match(source.options['Signed-By'] ?? '', /abc\n -----END/);
});

test('one-line sources are parsed with their options', () => {
  const text = [
    '# deb http://comment.example/debian bookworm main',
    'deb [arch=amd64,arm64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib # why',
    'deb-src http://mirror.example/debian bookworm main',
    'deb cdrom:[Debian]/ bookworm main',
  ].join('\n');
  const source = mainSource(parseSourceLines(text), 'bookworm');
  assert.deepEqual(source, {
    types: ['deb'],
    uris: ['http://mirror.example/debian'],
    suites: ['bookworm'],
    components: ['main', 'contrib'],
    options: { Architectures: 'amd64 arm64', 'Signed-By': '/k.gpg' },
  });
});
