import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type Directory, type FileReason, hostFiles } from './host-files.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coit-directory-'));
  mkdirSync(join(root, 'inside/deep'), { recursive: true });
  writeFileSync(join(root, 'secret'), 'secret');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function inside(): Directory {
  const directory = hostFiles.open(join(root, 'inside'));
  assert.ok(directory);
  return directory;
}

function refused(reason: FileReason) {
  return (error: unknown) => hostFiles.asFileError(error)?.reason === reason;
}

const small = { maxBytes: 100 };

describe('reading below an open directory', () => {
  test('a regular file is read with its time and mode', () => {
    writeFileSync(join(root, 'inside/deep/file'), 'text', { mode: 0o640 });
    using directory = inside();
    const content = directory.read('deep/file', small);
    assert.equal(content?.text, 'text');
    assert.equal(content?.mode, 0o640);
    assert.ok(Math.abs((content?.modifiedMs ?? 0) - Date.now()) < 60_000);
  });

  test('a missing file reads as nothing, even below a missing directory', () => {
    using directory = inside();
    assert.equal(directory.read('none', small), undefined);
    assert.equal(directory.read('none/none', small), undefined);
    assert.equal(directory.openDirectory('none'), undefined);
    assert.equal(directory.entry('none/none'), undefined);
  });

  test('reading refuses a link to a file that a plain read would follow', () => {
    symlinkSync('../secret', join(root, 'inside/link'));
    assert.equal(readFileSync(join(root, 'inside/link'), 'utf8'), 'secret');
    using directory = inside();
    assert.throws(() => directory.read('link', small), refused('link'));
  });

  test('reading refuses a link in the middle of the path that a plain read would follow', () => {
    symlinkSync('..', join(root, 'inside/up'));
    assert.equal(readFileSync(join(root, 'inside/up/secret'), 'utf8'), 'secret');
    using directory = inside();
    assert.throws(() => directory.read('up/secret', small), refused('file'));
  });

  test('an entry is unlinked only if no link is on its path', () => {
    symlinkSync('..', join(root, 'inside/up'));
    using directory = inside();
    assert.throws(() => directory.unlink('up/secret'), refused('file'));
    directory.unlink('up');
    assert.deepEqual(readdirSync(root).sort(), ['inside', 'secret']);
    assert.deepEqual(readdirSync(join(root, 'inside')), ['deep']);
  });

  test('reading refuses a FIFO at once instead of waiting for a writer', () => {
    execFileSync('mkfifo', [join(root, 'inside/fifo')]);
    using directory = inside();
    assert.throws(() => directory.read('fifo', small), refused('fifo'));
  });

  test('reading refuses a directory, and a file in place of a directory', () => {
    writeFileSync(join(root, 'inside/file'), '');
    using directory = inside();
    assert.throws(() => directory.read('deep', small), refused('directory'));
    assert.throws(() => directory.openDirectory('file'), refused('file'));
  });

  test('reading refuses a device without opening it', () => {
    using dev = hostFiles.open('/dev');
    assert.ok(dev);
    assert.throws(() => dev.read('null', small), refused('device'));
  });

  test('reading refuses a sparse giant and a file that is one byte too long', () => {
    writeFileSync(join(root, 'inside/giant'), '');
    truncateSync(join(root, 'inside/giant'), 2 ** 40);
    writeFileSync(join(root, 'inside/fits'), 'x'.repeat(100));
    writeFileSync(join(root, 'inside/long'), 'x'.repeat(101));
    using directory = inside();
    assert.throws(() => directory.read('giant', small), refused('too-big'));
    assert.throws(() => directory.read('long', small), refused('too-big'));
    assert.equal(directory.read('fits', small)?.bytes.length, 100);
  });

  test('the size limit holds while reading, even if the reported size is wrong', () => {
    // Files of /proc claim to be empty.
    using proc = hostFiles.open('/proc/self');
    assert.ok(proc);
    assert.equal(proc.entry('status')?.stat.size, 0);
    assert.throws(() => proc.read('status', { maxBytes: 20 }), refused('too-big'));
  });

  test('names with .. or slashes are refused', () => {
    using directory = inside();
    for (const name of ['..', '.', '', 'a/../b', '/etc/passwd', 'a//b', 'a\0b', 'x'.repeat(256)]) {
      assert.throws(() => directory.read(name, small), refused('name'), JSON.stringify(name));
      assert.throws(() => directory.write(name, ''), refused('name'), JSON.stringify(name));
      assert.throws(() => directory.makeDirectory(name), refused('name'), JSON.stringify(name));
    }
  });

  test('reading never goes through a directory that is swapped for a link meanwhile', async () => {
    mkdirSync(join(root, 'outside'));
    writeFileSync(join(root, 'outside/file'), 'secret');
    mkdirSync(join(root, 'inside/dir'));
    writeFileSync(join(root, 'inside/dir/file'), 'harmless');
    const stop = new Int32Array(new SharedArrayBuffer(8));
    const racing = new Worker(
      `const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
       const { workerData: { dir, target, stop } } = require('node:worker_threads');
       while (Atomics.load(stop, 0) === 0) {
         renameSync(dir, dir + '.away'); symlinkSync(target, dir); Atomics.add(stop, 1, 1);
         unlinkSync(dir); renameSync(dir + '.away', dir);
       }`,
      {
        eval: true,
        workerData: { dir: join(root, 'inside/dir'), target: join(root, 'outside'), stop },
      },
    );
    using directory = inside();
    const seen = { plain: 0, refused: 0, harmless: 0 };
    const until = Date.now() + 20_000;
    // Ends when the race has happened: the plain read was deceived, and ours saw both states.
    while (Date.now() < until && !(seen.plain > 5 && seen.refused > 5 && seen.harmless > 5)) {
      try {
        if (readFileSync(join(root, 'inside/dir/file'), 'utf8') === 'secret') seen.plain += 1;
      } catch {
        // Expected: the assertions come later.
      }
      try {
        const text = directory.read('dir/file', small)?.text;
        assert.notEqual(text, 'secret');
        if (text === 'harmless') seen.harmless += 1;
      } catch (error) {
        assert.ok(hostFiles.asFileError(error), String(error));
        seen.refused += 1;
      }
    }
    Atomics.store(stop, 0, 1);
    await new Promise((resolve) => racing.once('exit', resolve));
    assert.ok(seen.plain > 0, 'the attack works on a plain read');
    assert.ok(seen.refused > 0 && seen.harmless > 0, JSON.stringify(seen));
  });
});

describe('writing below an open directory', () => {
  test('files are created with mode 0600 and directories with 0700, whatever the umask', () => {
    const umask = process.umask(0o277);
    try {
      using directory = inside();
      using _made = directory.makeDirectory('new/part');
      directory.write('new/part/file', 'text');
      assert.equal(statSync(join(root, 'inside/new/part')).mode & 0o777, 0o700);
      assert.equal(statSync(join(root, 'inside/new/part/file')).mode & 0o777, 0o600);
    } finally {
      process.umask(umask);
    }
  });

  test('writing replaces a planted link instead of following it', () => {
    symlinkSync('../secret', join(root, 'inside/link'));
    using directory = inside();
    directory.write('link', 'new');
    assert.equal(readFileSync(join(root, 'secret'), 'utf8'), 'secret');
    assert.equal(readFileSync(join(root, 'inside/link'), 'utf8'), 'new');
  });

  test('writing does not change a file that a planted hard link shares', () => {
    linkSync(join(root, 'secret'), join(root, 'inside/hard'));
    using directory = inside();
    directory.write('hard', 'new');
    assert.equal(readFileSync(join(root, 'secret'), 'utf8'), 'secret');
  });

  test('nothing is created behind a planted link to a directory', () => {
    symlinkSync('..', join(root, 'inside/up'));
    using directory = inside();
    assert.throws(() => directory.makeDirectory('up/new'), refused('file'));
    assert.throws(() => directory.write('up/new', ''), refused('file'));
    assert.deepEqual(readdirSync(root).sort(), ['inside', 'secret']);
  });

  test('a directory that another process creates at the same moment is used', async () => {
    const places = Array.from({ length: 40 }, (_, index) => `race-${index}/inner`);
    const script = `
      const { parentPort, workerData: { url, top, places, gate } } = require('node:worker_threads');
      import(url).then(({ hostFiles }) => {
        const directory = hostFiles.open(top);
        // Both start together, or after the timeout.
        if (Atomics.add(gate, 0, 1) === 0) Atomics.wait(gate, 0, 1, 5000);
        else Atomics.notify(gate, 0);
        for (const place of places) directory.makeDirectory(place)[Symbol.dispose]();
        parentPort.postMessage('made');
      });
    `;
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const url = new URL('./host-files.ts', import.meta.url).href;
    const workerData = { url, top: join(root, 'inside'), places, gate };
    const workers = [1, 2].map(() => new Worker(script, { eval: true, workerData }));
    const made = workers.map(
      (worker) =>
        new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    );
    await Promise.all(made);
    assert.equal(readdirSync(join(root, 'inside')).length, 1 + places.length);
  });

  test('a failed write leaves nothing behind when a directory has the name', () => {
    using directory = inside();
    assert.throws(() => directory.write('deep', ''), refused('directory'));
    assert.deepEqual(readdirSync(join(root, 'inside')), ['deep']);
  });

  test('writing sets the requested time', () => {
    using directory = inside();
    directory.write('file', '', { modifiedMs: 1_000_000_000_123 });
    assert.ok(Math.abs(statSync(join(root, 'inside/file')).mtimeMs - 1_000_000_000_123) < 2);
  });

  test("files that root creates get their owner; another user's files keep theirs", () => {
    const isRoot = process.geteuid?.() === 0;
    using directory = inside();
    directory.write('file', '', { owner: { uid: 12_345, gid: 54_321 } });
    using _made = directory.makeDirectory('dir', { owner: { uid: 12_345, gid: 54_321 } });
    for (const name of ['file', 'dir']) {
      const { uid, gid } = statSync(join(root, 'inside', name));
      const own = { uid: process.getuid?.(), gid: process.getgid?.() };
      assert.deepEqual({ uid, gid }, isRoot ? { uid: 12_345, gid: 54_321 } : own);
    }
  });
});

test('opened directories are closed, even on errors', () => {
  const descriptors = openBelow(root);
  assert.equal(descriptors(), 0);
  {
    using directory = inside();
    assert.equal(descriptors(), 1);
    symlinkSync('..', join(root, 'inside/up'));
    for (const name of ['up/x', 'deep/none', 'none/none']) {
      try {
        directory.read(name, small);
      } catch {
        // Expected: the assertions come later.
      }
    }
    for (const _ of directory.entries()) break;
    directory.write('deep/file', 'x');
    directory.read('deep/file', small);
  }
  assert.equal(descriptors(), 0);
});

/** Counts descriptors of this process. Others come and go: the thread of a test before this one may still be ending. */
function openBelow(path: string): () => number {
  const targetOf = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  };
  return () =>
    readdirSync('/proc/self/fd').filter((fd) => `${targetOf(fd)}/`.startsWith(`${path}/`)).length;
}
