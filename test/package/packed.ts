// The package as made by `npm pack` from a copy of this checkout.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { mustRun } from '../bed/command.ts';
import { repositoryFiles } from '../tidy/source.ts';

const root = resolve(import.meta.dirname, '../..');
const limitMs = 180_000;

export interface PackedPackage {
  /** Path of the tarball. */
  readonly packed: string;
  /** For npm: a separate home with the machine's registry settings. */
  readonly env: Record<string, string>;
}

/** Makes it in that directory, which becomes npm's home. */
export async function packCheckout(directory: string): Promise<PackedPackage> {
  const env: Record<string, string> = {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    HOME: directory,
  };
  for (const [name, value] of Object.entries(process.env))
    if (/^(npm_config_|https?_proxy$|no_proxy$|NODE_EXTRA_CA_CERTS$)/i.test(name) && value)
      env[name] = value;
  const config = join(process.env['HOME'] ?? '/root', '.npmrc');
  await cp(config, join(directory, '.npmrc')).catch(() => undefined);
  const checkout = join(directory, 'checkout');
  for (const path of repositoryFiles(root)) {
    await mkdir(dirname(join(checkout, path)), { recursive: true });
    await cp(join(root, path), join(checkout, path));
  }
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
  // Otherwise the copy would reinstall, through the link into this checkout.
  const lock = await readFile(join(root, 'package-lock.json'));
  const stamp = await readFile(join(root, 'node_modules/.coi-lock-sha256'), 'utf8');
  assert.equal(stamp, createHash('sha256').update(lock).digest('hex'), 'run npm ci first');
  await mustRun(['npm', 'pack', '--pack-destination', directory], { cwd: checkout, env, limitMs });
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return { packed: join(directory, `coi-${version}.tgz`), env };
}
