// npm packages, fetched on the host by its own npm with its registry, certificates and cache.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoiError } from '../errors.ts';
import { type Downloader, fetchOrThrow, makeReadable, runTool } from './download.ts';
import type { Architecture } from './recipe.ts';

/**
 * Installs packages for everybody below `input`/npm, and notes the registry in `input`/registry. Their install scripts
 * do not run here, on the host. Throws `image-build-failed`.
 */
export async function downloadNpm(
  down: Downloader,
  packages: readonly string[],
  { node }: Architecture,
): Promise<void> {
  const prefix = join(down.input, 'npm');
  await mkdir(prefix, { recursive: true });
  const registry = await runTool(down, ['npm', 'config', 'get', 'registry'], { quiet: true });
  if (registry.status === undefined)
    throw new CoiError('image-build-failed', 'npm is not installed on this host', {
      hint: "Install it (sudo apt install npm): the agents come from npm's registry.",
    });
  await writeFile(join(down.input, 'registry'), imageRegistry(registry.stdout));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier'];
  const platform = ['--include=optional', '--os=linux', `--cpu=${node}`, '--libc=glibc'];
  const install = ['npm', 'install', '--global', '--prefix', prefix, '--ignore-scripts'];
  await fetchOrThrow(
    down,
    [...install, ...platform, ...quiet, ...packages],
    { cwd: down.input },
    {
      what: 'npm could not fetch the agents',
      hint: "Is npm's registry reachable from this host?",
    },
  );
  await makeReadable(down, ['npm', 'registry']);
}

/** The registry as the image may know it: without a login, and not one that only this host can reach. */
export function imageRegistry(printed: string): string {
  const url = URL.parse(printed.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return '';
  if (/^(?:localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)) return '';
  url.username = '';
  url.password = '';
  return url.href;
}
