import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoiError } from '../errors.ts';
import { parseRelease } from '../setup/os-release.ts';
import {
  acquireSettings,
  hostSources,
  imageSources,
  publishedSettings,
  publishedSources,
  sourcesFile,
} from './sources.ts';

const bookworm = parseRelease('ID=debian\nPRETTY_NAME="Debian 12"\nVERSION_CODENAME=bookworm\n');
const key = '/usr/share/keyrings/debian-archive-keyring.gpg';

const deb822 = `Types: deb
# http://snapshot.example/2025
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: ${key}

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: ${key}

Types: deb
URIs: http://other.example/tool
Suites: nodistro
Components: main
`;

test("a Debian 12 host gives the same mirrors with the image's suites", () => {
  assert.deepEqual(imageSources(bookworm, hostSources(deb822, 'deb822')), [
    { uri: 'http://mirror.example/debian', suites: ['trixie', 'trixie-updates'], signedBy: key },
    { uri: 'http://mirror.example/debian-security', suites: ['trixie-security'], signedBy: key },
  ]);
});

test('one-line sources are parsed with their options, commented ones are skipped', () => {
  const text = `deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main
# deb http://off.example/debian bookworm main
deb-src http://m.example/debian bookworm main
deb http://m.example/debian-security bookworm-security main contrib
`;
  assert.deepEqual(hostSources(text, 'one-line'), [
    { uri: 'http://m.example/debian', suites: ['bookworm'], signedBy: '/k.gpg' },
    { uri: 'http://m.example/debian-security', suites: ['bookworm-security'], signedBy: undefined },
  ]);
});

test('a disabled stanza and an inline key are accepted', () => {
  const text = `Enabled: no\nTypes: deb\nURIs: http://a.example\nSuites: bookworm\n
Types: deb\nURIs: http://b.example\nSuites: bookworm\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n`;
  assert.deepEqual(hostSources(text, 'deb822'), [
    { uri: 'http://b.example', suites: ['bookworm'], signedBy: undefined },
  ]);
});

test('backports and suites of other vendors are left out of the image', () => {
  const sources = hostSources(
    'deb http://m.example/debian bookworm main\ndeb http://m.example/debian bookworm-backports main\ndeb http://x.example stable-tool main\n',
    'one-line',
  );
  assert.deepEqual(
    imageSources(bookworm, sources).map(({ suites }) => suites),
    [['trixie']],
  );
});

test('a second mirror of the same suite is left out', () => {
  const sources = hostSources(
    'deb http://a.example trixie main\ndeb http://b.example trixie main\n',
    'one-line',
  );
  const trixie = { ...bookworm, codename: 'trixie' };
  assert.deepEqual(
    imageSources(trixie, sources).map(({ uri }) => uri),
    ['http://a.example'],
  );
});

for (const [about, host, text] of [
  [
    'an Ubuntu host',
    parseRelease('ID=ubuntu\nPRETTY_NAME="Ubuntu 24.04"\nVERSION_CODENAME=noble\n'),
    'deb http://u.example noble main\n',
  ],
  ['a Debian host without any mirror', bookworm, ''],
] as const) {
  test(`${about} is reported as having no Debian mirror`, () => {
    assert.throws(
      () => imageSources(host, hostSources(text, 'one-line')),
      (error) =>
        error instanceof CoiError &&
        error.code === 'image-build-failed' &&
        error.message.includes(host.title),
    );
  });
}

test('a login in a mirror address is used for the download and does not stay in the image', () => {
  const sources = [
    {
      uri: 'https://me:secret@m.example/debian',
      suites: ['trixie'],
      signedBy: '/etc/apt/keyrings/own.gpg',
    },
  ];
  assert.match(
    sourcesFile(sources, (path) => path),
    /URIs: https:\/\/me:secret@m\.example\/debian\n/,
  );
  const { text, keyrings } = publishedSources(sources);
  assert.equal(
    text,
    'Types: deb\nURIs: https://m.example/debian\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/own.gpg\n',
  );
  assert.deepEqual(keyrings, ['/etc/apt/keyrings/own.gpg']);
});

test("Debian's own keyring is not copied, since the image has it", () => {
  const { text, keyrings } = publishedSources([
    { uri: 'http://m.example', suites: ['trixie'], signedBy: undefined },
  ]);
  assert.deepEqual(keyrings, []);
  assert.match(text, new RegExp(`Signed-By: ${key}`));
});

test("the download keeps the host's mirror options; the image keeps only that the mirror may be old", () => {
  const dump = `APT::Update::Post-Invoke:: "rm -rf /";
Acquire::http::Proxy "http://127.0.0.1:3128";
Acquire::Check-Valid-Until "false";
Acquire::Languages:: "none";
Dir "/";
`;
  const settings = acquireSettings(dump);
  assert.deepEqual(settings, [
    'Acquire::http::Proxy "http://127.0.0.1:3128";',
    'Acquire::Check-Valid-Until "false";',
  ]);
  assert.deepEqual(publishedSettings(settings), ['Acquire::Check-Valid-Until "false";']);
});
