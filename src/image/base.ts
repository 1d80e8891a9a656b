// Files of the base image, written on the host: the unpacked essential packages and the metadata for Incus.
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoiError } from '../errors.ts';
import type { ReadProgram } from '../host/process/program.ts';
import type { RunCommand } from '../host/process/run-command.ts';
import type { Downloader } from './download.ts';
import { writeGuestFiles } from './guest-files.ts';
import { type Architecture, type GuestFile, imageMetadata } from './recipe.ts';
import { writeRootfs } from './rootfs.ts';

const commandLimitMs = 60_000;

export interface BaseFiles {
  readonly metadataPath: string;
  readonly rootfsPath: string;
}

interface BaseDependencies {
  readonly run: RunCommand;
  readonly read: ReadProgram;
  readonly guest: readonly GuestFile[];
  readonly now: () => Date;
  readonly log: (line: string) => void;
}

interface BaseSpec {
  /** Makes the image's fingerprint unique. */
  readonly name: string;
  readonly directory: string;
  readonly input: string;
  readonly essential: readonly string[];
}

/** Writes both tar files of a split image into the directory. Throws `image-build-failed`. */
export async function writeBase(
  deps: BaseDependencies,
  arch: Architecture,
  work: BaseSpec,
  signal: AbortSignal,
): Promise<BaseFiles> {
  const rootfsPath = join(work.directory, 'rootfs.tar');
  const debs = work.essential.map((name) => join(work.input, 'apt/archives', name));
  await writeRootfs(rootfsPath, debs, { read: deps.read, signal });
  const metadata = join(work.directory, 'metadata');
  await mkdir(metadata);
  const properties = { description: 'coi build, unfinished', build: work.name };
  await writeFile(join(metadata, 'metadata.yaml'), imageMetadata(arch, deps.now(), properties));
  await writeGuestFiles(deps.guest, join(metadata, 'templates'), 'templates/');
  const metadataPath = join(work.directory, 'metadata.tar.gz');
  const tar = ['tar', '-C', metadata, '-czf', metadataPath, '.'];
  const { status } = await deps.run(tar, { signal, timeoutMs: commandLimitMs, onLine: deps.log });
  if (status !== 0) throw new CoiError('image-build-failed', 'tar could not pack the metadata');
  return { metadataPath, rootfsPath };
}

/** Unpacks libeatmydata, which disables fsync, to where the build scripts expect it. Throws `image-build-failed`. */
export async function unpackEatmydata(run: RunCommand, downloader: Downloader): Promise<void> {
  const archives = join(downloader.input, 'apt/archives');
  const deb = (await readdir(archives)).find((name) => name.startsWith('libeatmydata1_')) ?? '';
  const to = join(downloader.input, 'eatmydata');
  const { status } = await run(['dpkg-deb', '--extract', join(archives, deb), to], {
    signal: downloader.signal,
    timeoutMs: commandLimitMs,
    onLine: downloader.log,
  });
  const paths = status === 0 ? await readdir(to, { recursive: true }) : [];
  const library = paths.find((path) => /libeatmydata\.so\.[\d.]+$/.test(path));
  if (library === undefined)
    throw new CoiError('image-build-failed', 'libeatmydata could not be unpacked');
  await copyFile(join(to, library), join(downloader.input, 'libeatmydata.so'));
}
