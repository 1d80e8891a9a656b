// Debian packages, downloaded with the host's apt by the user who builds: with the host's proxies and keys, without
// root. The build container has no network.
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CoiError } from '../errors.ts';
import type { CommandEnd, CommandOptions, RunCommand } from '../host/process/run-command.ts';
import { parseRelease } from '../setup/os-release.ts';
import type { Architecture } from './recipe.ts';
import {
  acquireSettings,
  hostSources,
  type ImageSource,
  imageSources,
  publishedSettings,
  publishedSources,
  sourcesFile,
} from './sources.ts';

const downloadLimitMs = 15 * 60_000;
const queryLimitMs = 30_000;

export interface Downloader {
  /** The directory that is mounted at /mnt in the build container. */
  readonly input: string;
  /** A directory that is not mounted, for files that may contain credentials. */
  readonly secret: string;
  readonly run: RunCommand;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

const authorities = '/usr/local/share/ca-certificates';

/**
 * Downloads the packages and their dependencies into `input`/apt. Returns the file names of Debian's essential
 * packages, from which a root file system can be unpacked. Throws `image-build-failed`.
 */
export async function downloadPackages(
  downloader: Downloader,
  packages: readonly string[],
  arch: Architecture,
): Promise<string[]> {
  const { sources, settings } = await hostMirror(downloader);
  const apt = await privateApt(downloader, sources, settings, arch);
  await copyAuthorities(join(downloader.input, 'authorities'));
  await apt(['update']);
  await apt(['--yes', '--download-only', 'install', '?essential', 'apt']);
  const archives = join(downloader.input, 'apt/archives');
  const essential = (await readdir(archives)).filter((name) => name.endsWith('.deb')).sort();
  // libeatmydata disables fsync in the build, which is discarded if it fails; it is not installed.
  await apt(['--yes', '--download-only', 'install', '?essential', 'libeatmydata1', ...packages]);
  await makeReadable(downloader, ['apt', 'sources', 'keyrings', 'authorities']);
  return essential;
}

/** Root of the container is nobody on the host, and has to read these files whatever the user's umask is. */
export async function makeReadable(
  downloader: Downloader,
  names: readonly string[],
): Promise<void> {
  const paths = names.map((name) => join(downloader.input, name));
  const { status } = await runTool(downloader, ['chmod', '--recursive', 'a+rX', ...paths], {
    quiet: true,
  });
  if (status !== 0) throw new CoiError('image-build-failed', 'chmod of the downloads failed');
}

async function hostMirror(
  downloader: Downloader,
): Promise<{ sources: ImageSource[]; settings: string[] }> {
  const dump = await runTool(downloader, ['apt-config', 'dump'], { quiet: true });
  if (dump.status === undefined)
    throw new CoiError('image-build-failed', 'apt is not installed on this host', {
      hint: 'Images are made from Debian packages: build on a Debian host.',
    });
  const names = await readdir('/etc/apt/sources.list.d').catch(() => []);
  const files = [
    '/etc/apt/sources.list',
    ...names.sort().map((name) => `/etc/apt/sources.list.d/${name}`),
  ];
  const found = await Promise.all(
    files
      .filter((path) => /\.(?:list|sources)$/.test(path))
      .map(async (path) =>
        hostSources(
          await readFile(path, 'utf8').catch(() => ''),
          path.endsWith('.sources') ? 'deb822' : 'one-line',
        ),
      ),
  );
  const host = parseRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  return { sources: imageSources(host, found.flat()), settings: acquireSettings(dump.stdout) };
}

/** Runs apt without the host's lists, cache and hooks. */
async function privateApt(
  downloader: Downloader,
  sources: readonly ImageSource[],
  settings: readonly string[],
  arch: Architecture,
) {
  const dir = join(downloader.input, 'apt');
  const kept = publishedSources(sources);
  for (const part of ['apt/lists/partial', 'apt/archives/partial', 'sources', 'keyrings'])
    await mkdir(join(downloader.input, part), { recursive: true });
  const sourceParts = join(downloader.secret, 'sources');
  await mkdir(sourceParts);
  await writeFile(
    join(sourceParts, 'image.sources'),
    sourcesFile(sources, (path) => path),
  );
  await writeFile(join(downloader.input, 'sources/debian.sources'), kept.text);
  await writeFile(
    join(downloader.input, 'sources/90coi'),
    ['Acquire::Languages "none";', ...publishedSettings(settings), ''].join('\n'),
  );
  for (const path of kept.keyrings)
    await copyFile(path, join(downloader.input, 'keyrings', basename(path)));
  await writeFile(join(dir, 'status'), '');
  const config = join(downloader.secret, 'apt.conf');
  await writeFile(config, aptConfig(dir, sourceParts, settings, arch));
  return async (args: readonly string[]) => {
    const env = { APT_CONFIG: config, LC_ALL: 'C.UTF-8' };
    await fetchOrThrow(
      downloader,
      ['apt-get', '--quiet', ...args],
      { env },
      {
        what: 'fetching Debian packages failed',
        hint: 'Check that this host can reach its Debian mirror.',
      },
    );
  };
}

function aptConfig(
  dir: string,
  sourceParts: string,
  settings: readonly string[],
  { debian }: Architecture,
): string {
  const lines = [
    `Dir::State "${dir}";`,
    `Dir::State::lists "${dir}/lists";`,
    `Dir::State::status "${dir}/status";`,
    `Dir::Cache "${dir}";`,
    `Dir::Cache::archives "${dir}/archives";`,
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
    'Dir::Etc::sourcelist "/dev/null";',
    `Dir::Etc::sourceparts "${sourceParts}";`,
    ...['parts', 'main', 'preferences', 'preferencesparts'].map(
      (name) => `Dir::Etc::${name} "/dev/null";`,
    ),
    `APT::Architecture "${debian}";`,
    `APT::Architectures { "${debian}"; };`,
    // The directory belongs to the user who builds, so apt cannot give it to its sandbox user.
    'APT::Sandbox::User "";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    ...settings,
  ];
  return `${lines.join('\n')}\n`;
}

export async function runTool(
  downloader: Downloader,
  argv: readonly string[],
  options: Partial<CommandOptions> & { quiet?: boolean },
): Promise<CommandEnd> {
  const { quiet, ...rest } = options;
  if (!quiet) downloader.log(`$ ${argv.join(' ')}`);
  return downloader.run(argv, {
    ...rest,
    ...(quiet ? {} : { onLine: downloader.log }),
    signal: downloader.signal,
    timeoutMs: quiet ? queryLimitMs : downloadLimitMs,
  });
}

/** Runs apt or npm; on failure the error contains the reason that it printed. Throws `image-build-failed`. */
export async function fetchOrThrow(
  downloader: Downloader,
  argv: readonly string[],
  options: Partial<CommandOptions>,
  { what, hint }: { readonly what: string; readonly hint: string },
): Promise<void> {
  let reason: string | undefined;
  const log = (line: string) => {
    reason ??= failureReason(line);
    downloader.log(line);
  };
  const { status } = await runTool({ ...downloader, log }, argv, options);
  if (status === 0) return;
  const cause = reason ?? `${argv[0]} ended with status ${status}`;
  throw new CoiError('image-build-failed', `${what}: ${cause}`, { hint });
}

/** The reason of a failure in a line of apt or npm output, if it contains one. */
export function failureReason(line: string): string | undefined {
  const npm = /^npm (?:ERR!|error) (?!code |errno |syscall |A complete log)(.+)$/.exec(line)?.[1];
  return npm ?? /^E: (.+)$/.exec(line)?.[1];
}

/** Certificate authorities that the host's administrator added: a TLS proxy may need them. */
async function copyAuthorities(to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = await readdir(authorities).catch(() => []);
  for (const name of names.filter((one) => one.endsWith('.crt')))
    await copyFile(join(authorities, name), join(to, name));
}
