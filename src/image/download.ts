// Debian packages, fetched on the host by its own apt, as the user that builds: with the host's proxies and keys, and
// without root. The build container has no network at all.
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
  /** A directory of the build that the container sees as /mnt. */
  readonly input: string;
  /** One that it does not see, for what may hold a login. */
  readonly secret: string;
  readonly run: RunCommand;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

const authorities = '/usr/local/share/ca-certificates';

/**
 * Fetches the packages with all they depend on into `input`/apt. Returns the file names of Debian's essential ones,
 * from which a root file system can be unpacked. Throws `image-build-failed`.
 */
export async function downloadPackages(
  down: Downloader,
  packages: readonly string[],
  arch: Architecture,
): Promise<string[]> {
  const { sources, settings } = await hostMirror(down);
  const apt = await privateApt(down, sources, settings, arch);
  await copyAuthorities(join(down.input, 'authorities'));
  await apt(['update']);
  await apt(['--yes', '--download-only', 'install', '?essential', 'apt']);
  const archives = join(down.input, 'apt/archives');
  const essential = (await readdir(archives)).filter((name) => name.endsWith('.deb')).sort();
  // libeatmydata takes fsync out of a build that is thrown away when it fails; it is not installed.
  await apt(['--yes', '--download-only', 'install', '?essential', 'libeatmydata1', ...packages]);
  await makeReadable(down, ['apt', 'sources', 'keyrings', 'authorities']);
  return essential;
}

/** Root of the container is nobody on the host: whatever the user's umask is, it has to read what is there. */
export async function makeReadable(down: Downloader, names: readonly string[]): Promise<void> {
  const paths = names.map((name) => join(down.input, name));
  const { status } = await runTool(down, ['chmod', '--recursive', 'a+rX', ...paths], {
    quiet: true,
  });
  if (status !== 0) throw new CoiError('image-build-failed', 'chmod of the downloads failed');
}

async function hostMirror(
  down: Downloader,
): Promise<{ sources: ImageSource[]; settings: string[] }> {
  const dump = await runTool(down, ['apt-config', 'dump'], { quiet: true });
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

/** An apt of our own: the host's lists, cache and hooks stay out of it. */
async function privateApt(
  down: Downloader,
  sources: readonly ImageSource[],
  settings: readonly string[],
  arch: Architecture,
) {
  const dir = join(down.input, 'apt');
  const kept = publishedSources(sources);
  for (const part of ['apt/lists/partial', 'apt/archives/partial', 'sources', 'keyrings'])
    await mkdir(join(down.input, part), { recursive: true });
  const sourceParts = join(down.secret, 'sources');
  await mkdir(sourceParts);
  await writeFile(
    join(sourceParts, 'image.sources'),
    sourcesFile(sources, (path) => path),
  );
  await writeFile(join(down.input, 'sources/debian.sources'), kept.text);
  await writeFile(
    join(down.input, 'sources/90coi'),
    ['Acquire::Languages "none";', ...publishedSettings(settings), ''].join('\n'),
  );
  for (const path of kept.keyrings)
    await copyFile(path, join(down.input, 'keyrings', basename(path)));
  await writeFile(join(dir, 'status'), '');
  const config = join(down.secret, 'apt.conf');
  await writeFile(config, aptConfig(dir, sourceParts, settings, arch));
  return async (args: readonly string[]) => {
    const env = { APT_CONFIG: config, LC_ALL: 'C.UTF-8' };
    await fetchOrThrow(
      down,
      ['apt-get', '--quiet', ...args],
      { env },
      {
        what: 'fetching Debian packages failed',
        hint: 'Is the Debian mirror of this host reachable?',
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
    // The directory belongs to whoever builds, so apt cannot hand it to its own user.
    'APT::Sandbox::User "";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    ...settings,
  ];
  return `${lines.join('\n')}\n`;
}

export async function runTool(
  down: Downloader,
  argv: readonly string[],
  options: Partial<CommandOptions> & { quiet?: boolean },
): Promise<CommandEnd> {
  const { quiet, ...rest } = options;
  if (!quiet) down.log(`$ ${argv.join(' ')}`);
  return down.run(argv, {
    ...rest,
    ...(quiet ? {} : { onLine: down.log }),
    signal: down.signal,
    timeoutMs: quiet ? queryLimitMs : downloadLimitMs,
  });
}

/** Runs apt or npm; where it fails, what it said of the reason is in the error. Throws `image-build-failed`. */
export async function fetchOrThrow(
  down: Downloader,
  argv: readonly string[],
  options: Partial<CommandOptions>,
  { what, hint }: { readonly what: string; readonly hint: string },
): Promise<void> {
  let reason: string | undefined;
  const log = (line: string) => {
    reason ??= failureReason(line);
    down.log(line);
  };
  const { status } = await runTool({ ...down, log }, argv, options);
  if (status === 0) return;
  const said = reason ?? `${argv[0]} ended with status ${status}`;
  throw new CoiError('image-build-failed', `${what}: ${said}`, { hint });
}

/** What a line of apt or npm says of why it failed, if it does. */
export function failureReason(line: string): string | undefined {
  const npm = /^npm (?:ERR!|error) (?!code |errno |syscall |A complete log)(.+)$/.exec(line)?.[1];
  return npm ?? /^E: (.+)$/.exec(line)?.[1];
}

/** Certificate authorities that the host's administrator added: behind a proxy of theirs nothing else would be trusted. */
async function copyAuthorities(to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = await readdir(authorities).catch(() => []);
  for (const name of names.filter((one) => one.endsWith('.crt')))
    await copyFile(join(authorities, name), join(to, name));
}
