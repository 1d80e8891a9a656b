// Images and their aliases.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { IncusError } from '../../src/incus/client.ts';
import { type DaemonBed, daemons, finish, testLimit } from './daemons.ts';

for (const daemon of daemons) {
  describe(`images of the ${daemon.name} daemon`, testLimit, () => {
    let bench: DaemonBed;
    let directory: string;
    before(async () => {
      bench = await daemon.open();
      directory = mkdtempSync(join(tmpdir(), 'coit-image-'));
    });
    after(async () => {
      rmSync(directory, { recursive: true });
      await bench[Symbol.asyncDispose]();
    });

    /** Two tarballs that form a valid but useless image. */
    const tarballs = (label: string) => {
      const metadata = join(directory, `${label}-metadata`);
      const rootfs = join(directory, `${label}-rootfs`);
      mkdirSync(metadata);
      mkdirSync(join(rootfs, 'etc'), { recursive: true });
      const yaml = 'architecture: x86_64\ncreation_date: 1700000000\nproperties:\n  os: none\n';
      writeFileSync(join(metadata, 'metadata.yaml'), yaml);
      writeFileSync(join(rootfs, 'etc/label'), `${bench.prefix}${label}`);
      const pack = (from: string) => {
        execFileSync('tar', ['-C', from, '-czf', `${from}.tar.gz`, '.']);
        return `${from}.tar.gz`;
      };
      return { metadataPath: pack(metadata), rootfsPath: pack(rootfs) };
    };
    const imported = async (label: string) => {
      const metadata = await finish(
        bench.incus.importImage({
          ...tarballs(label),
          properties: { coit: bench.prefix, label: 'a b&c=ü' },
        }),
      );
      const fingerprint = metadata?.['fingerprint'];
      assert.ok(typeof fingerprint === 'string');
      return fingerprint;
    };

    it('a split image is imported from disk with its properties', async () => {
      const fingerprint = await imported('split');
      const image = await bench.incus.image(fingerprint);
      assert.equal(image?.properties['label'], 'a b&c=ü');
      assert.ok((await bench.incus.images()).some((other) => other.fingerprint === fingerprint));
      await finish(bench.incus.deleteImage(fingerprint));
      assert.equal(await bench.incus.image(fingerprint), undefined);
    });

    it('an image alias is created, found, moved and deleted', async () => {
      const alias = bench.name('alias/x');
      assert.equal(await bench.incus.imageAlias(alias), undefined);
      const [one, two] = [await imported('one'), await imported('two')];
      await bench.incus.setImageAlias(alias, one, 'first');
      assert.equal((await bench.incus.imageAlias(alias))?.target, one);
      await bench.incus.setImageAlias(alias, two);
      assert.equal((await bench.incus.imageAlias(alias))?.target, two);
      assert.deepEqual(
        (await bench.incus.image(two))?.aliases.map(({ name }) => name),
        [alias],
      );
      await bench.incus.deleteImageAlias(alias);
      assert.equal(await bench.incus.imageAlias(alias), undefined);
    });

    it('an alias for a missing image is refused with 404', async () => {
      await assert.rejects(
        bench.incus.setImageAlias(bench.name('dangling'), '0'.repeat(64)),
        (error) => error instanceof IncusError && error.status === 404,
      );
    });

    it('a stopped instance is published as an image', async () => {
      const fingerprint = await imported('source');
      await finish(
        bench.incus.createInstance({
          name: bench.name('published'),
          type: 'container',
          source: { type: 'image', fingerprint },
        }),
      );
      const metadata = await finish(
        bench.incus.publishImage({
          instance: bench.name('published'),
          properties: { coit: bench.prefix },
          compression: 'none',
          aliases: [bench.name('published')],
        }),
      );
      const entry = await bench.incus.imageAlias(bench.name('published'));
      assert.equal(entry?.target, metadata?.['fingerprint']);
    });
  });
}
