// npm packages, downloaded on the host with its npm, registry, certificates and cache.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoiError } from '../errors.ts';
import { type Downloader, fetchOrThrow, makeReadable, runTool } from './download.ts';
import type { Architecture } from './recipe.ts';

/**
 * Installs packages globally below `input`/npm and writes the registry to `input`/registry. Install scripts do not run
 * here, on the host. Throws `image-build-failed`.
 */
export async function downloadNpm(
  downloader: Downloader,
  packages: readonly string[],
  { node }: Architecture,
): Promise<void> {
  const prefix = join(downloader.input, 'npm');
  await mkdir(prefix, { recursive: true });
  const registry = await runTool(downloader, ['npm', 'config', 'get', 'registry'], { quiet: true });
  if (registry.status === undefined)
    throw new CoiError('image-build-failed', 'npm is not installed on this host', {
      hint: "Install it (sudo apt install npm): the agents come from npm's registry.",
    });
  await writeFile(join(downloader.input, 'registry'), imageRegistry(registry.stdout));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier'];
  const platform = ['--include=optional', '--os=linux', `--cpu=${node}`, '--libc=glibc'];
  const install = ['npm', 'install', '--global', '--prefix', prefix, '--ignore-scripts'];
  await fetchOrThrow(
    downloader,
    [...install, ...platform, ...quiet, ...packages],
    { cwd: downloader.input },
    {
      what: 'npm could not fetch the agents',
      hint: "Check that this host can reach npm's registry.",
    },
  );
  await makeReadable(downloader, ['npm', 'registry']);
}

/** The registry for the image: without credentials; empty if only this host can reach it. */
export function imageRegistry(printed: string): string {
  const url = URL.parse(printed.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return '';
  if (/^(?:localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)) return '';
  url.username = '';
  url.password = '';
  return url.href;
}
