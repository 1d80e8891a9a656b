// Files of an instance, running or not.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { IncusError } from '../../src/incus/client.ts';
import { type DaemonBed, daemons, finish, testLimit } from './daemons.ts';

for (const daemon of daemons) {
  describe(`files of the ${daemon.name} daemon`, testLimit, () => {
    let bench: DaemonBed;
    let name: string;
    before(async () => {
      bench = await daemon.open();
      name = bench.name('files');
      await finish(
        bench.incus.createInstance({
          name,
          type: 'container',
          source: { type: 'image', fingerprint: bench.fingerprint },
        }),
      );
    });
    after(() => bench[Symbol.asyncDispose]());
    const content = async (path: string) => {
      const file = await bench.incus.readFile(name, path);
      assert.ok(file?.kind === 'file');
      return buffer(file.content);
    };

    it('a file is read back byte for byte with owner and mode', async () => {
      const bytes = Buffer.from([0, 255, 10, 13, 0, 128]);
      await bench.incus.writeFile(name, '/tmp/a b%c', bytes, { uid: 1000, gid: 1001, mode: 0o640 });
      const file = await bench.incus.readFile(name, '/tmp/a b%c');
      assert.ok(file?.kind === 'file');
      assert.deepEqual([file.uid, file.gid, file.mode], [1000, 1001, 0o640]);
      assert.deepEqual(await buffer(file.content), bytes);
    });

    it('a stream of unknown length is written completely, and can be appended to', async () => {
      const pieces = Array.from({ length: 40 }, (_, index) => Buffer.alloc(50_000, index));
      await bench.incus.writeFile(name, '/tmp/stream', Readable.from(pieces));
      await bench.incus.writeFile(name, '/tmp/stream', Buffer.from('tail'), { write: 'append' });
      assert.ok(
        (await content('/tmp/stream')).equals(Buffer.concat([...pieces, Buffer.from('tail')])),
      );
    });

    it('a directory lists its entries', async () => {
      await bench.incus.makeDirectory(name, '/tmp/dir', { mode: 0o700 });
      await bench.incus.writeFile(name, '/tmp/dir/x', Buffer.from('x'));
      const directory = await bench.incus.readFile(name, '/tmp/dir');
      assert.ok(directory?.kind === 'directory');
      assert.deepEqual([directory.entries, directory.mode], [['x'], 0o700]);
    });

    it('a link is reported as a link, not as its target', async () => {
      const link = await bench.incus.readFile(name, '/bin');
      assert.ok(link?.kind === 'symlink');
      assert.match(link.target, /^(\/)?usr\/bin$/);
    });

    it('a missing file is undefined, and deleting it fails with 404', async () => {
      await bench.incus.writeFile(name, '/tmp/short', Buffer.from('x'));
      await bench.incus.deleteFile(name, '/tmp/short');
      assert.equal(await bench.incus.readFile(name, '/tmp/short'), undefined);
      await assert.rejects(
        bench.incus.deleteFile(name, '/tmp/short'),
        (error) => error instanceof IncusError && error.status === 404,
      );
    });
  });
}
