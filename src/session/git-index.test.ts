// Against the real git: what it writes is read, and what is written it reads.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type HashBytes, readIndex } from './git-index.ts';
import { withoutGitlinks } from './git-index-edit.ts';

const formats = [
  { name: 'version 2', config: ['index.version=2'], hash: 20 },
  { name: 'version 4', config: ['index.version=4'], hash: 20 },
  { name: 'version 4 in blocks', config: ['index.version=4', 'index.threads=4'], hash: 20 },
  { name: 'version 2 of SHA-256', config: ['index.version=2'], hash: 32 },
] as const;

/** A repository with that many files and these submodules. */
function repository(hash: HashBytes, config: readonly string[], files: number) {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'coit-index-')));
  const options = config.flatMap((one) => ['-c', one]);
  const git = (args: readonly string[], input?: string) =>
    execFileSync('git', ['-C', top, ...options, ...args], { input, encoding: 'utf8' });
  git(['init', '-q', `--object-format=${hash === 20 ? 'sha1' : 'sha256'}`]);
  const blob = git(['hash-object', '-w', '--stdin'], 'x').trim();
  const lines = (mode: string, id: string, names: readonly string[]) =>
    names.map((name) => `${mode} ${id}\t${name}\0`).join('');
  const add = (mode: string, id: string, names: readonly string[]) =>
    git(['update-index', '-z', '--index-info'], lines(mode, id, names));
  const path = join(top, '.git/index');
  const numbered = Array.from({ length: files }, (_, n) => `src/part-${n % 7}/file-${n}.ts`);
  add('100644', blob, [...numbered, `deep/${'long-'.repeat(900)}`]);
  return {
    git,
    blob,
    read: () => readFileSync(path),
    write: (bytes: Buffer) => writeFileSync(path, bytes),
    link: (names: readonly string[]) => add('160000', blob, names),
    remove: () => rmSync(top, { recursive: true }),
  };
}

for (const { name, config, hash } of formats)
  describe(`an index of ${name}`, () => {
    test('names its submodules, and is the same without some of them', () => {
      const { git, read, write, link, remove } = repository(hash, config, 300);
      try {
        const paths = ['a', 'src/part-3/module', 'src/part-3/modulé', 'z'];
        link(paths);
        const bytes = read();
        const found = readIndex(bytes, hash);
        assert.deepEqual(found?.gitlinks.map(({ path }) => path).sort(), [...paths].sort());
        const raw = found.gitlinks.filter(({ path }) => path !== 'z').map((one) => one.raw);
        const before = git(['ls-files', '-s', '-z']).split('\0');
        const edited = withoutGitlinks(bytes, new Set(raw), hash);
        assert.ok(edited);
        write(edited);
        assert.equal(git(['fsck', '--no-dangling'], undefined).trim(), '');
        const after = git(['ls-files', '-s', '-z']).split('\0');
        const kept = before.filter((line) => !line.startsWith('160000') || line.endsWith('\tz'));
        assert.deepEqual(after, kept);
      } finally {
        remove();
      }
    });
  });

test('a large index in blocks is read, and one whose blocks begin elsewhere is not', () => {
  const { read, link, remove } = repository(20, ['index.version=2', 'index.threads=4'], 25_000);
  try {
    link(['module']);
    const bytes = read();
    const at = bytes.lastIndexOf('IEOT');
    assert.ok(at > 0, 'git wrote blocks');
    assert.equal(readIndex(bytes, 20)?.gitlinks.length, 1);
    const moved = Buffer.from(bytes);
    moved.writeUInt32BE(moved.readUInt32BE(at + 12 + 8) + 72, at + 12 + 8);
    assert.equal(readIndex(moved, 20), undefined);
    const end = Buffer.from(bytes);
    const ended = end.lastIndexOf('EOIE');
    end.writeUInt32BE(end.readUInt32BE(ended + 8) + 8, ended + 8);
    assert.equal(readIndex(end, 20), undefined);
  } finally {
    remove();
  }
});

test('a split index says where the rest is, and is not edited', () => {
  const { git, read, link, remove } = repository(20, [], 5);
  try {
    link(['module']);
    git(['update-index', '--split-index']);
    const found = readIndex(read(), 20);
    assert.match(found?.shared ?? '', /^sharedindex\.[0-9a-f]{40}$/);
    assert.equal(withoutGitlinks(read(), new Set(['module']), 20), undefined);
  } finally {
    remove();
  }
});

test('whatever the bytes are, it ends, with an index or without one', () => {
  const { read, link, remove } = repository(20, ['index.version=4'], 30);
  try {
    link(['module']);
    const bytes = read();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, byte, cut) => {
        const changed = Buffer.from(bytes.subarray(0, Math.max(cut, at + 1)));
        changed[at] = byte;
        const found = readIndex(changed, 20);
        assert.ok(found === undefined || Array.isArray(found.gitlinks));
        assert.ok(readIndex(Buffer.from([byte]), 20) === undefined);
      }),
    );
  } finally {
    remove();
  }
});
