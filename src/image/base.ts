// The files of the base image, written on the host: unpacked essential packages, and what Incus has to know of them.
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
  /** Makes the image's fingerprint one of its own. */
  readonly name: string;
  readonly directory: string;
  readonly input: string;
  readonly essential: readonly string[];
}

/** Writes both tar files of a split image into the directory. Throws `image-build-failed`. */
export async function writeBase(
  world: BaseDependencies,
  arch: Architecture,
  work: BaseSpec,
  signal: AbortSignal,
): Promise<BaseFiles> {
  const rootfsPath = join(work.directory, 'rootfs.tar');
  const debs = work.essential.map((name) => join(work.input, 'apt/archives', name));
  await writeRootfs(rootfsPath, debs, { read: world.read, signal });
  const metadata = join(work.directory, 'metadata');
  await mkdir(metadata);
  const properties = { description: 'coi build, unfinished', build: work.name };
  await writeFile(join(metadata, 'metadata.yaml'), imageMetadata(arch, world.now(), properties));
  await writeGuestFiles(world.guest, join(metadata, 'templates'), 'templates/');
  const metadataPath = join(work.directory, 'metadata.tar.gz');
  const tar = ['tar', '-C', metadata, '-czf', metadataPath, '.'];
  const { status } = await world.run(tar, { signal, timeoutMs: commandLimitMs, onLine: world.log });
  if (status !== 0) throw new CoiError('image-build-failed', 'tar could not pack the metadata');
  return { metadataPath, rootfsPath };
}

/** Puts the library that takes fsync out of programs where the build's scripts expect it. Throws `image-build-failed`. */
export async function unpackEatmydata(run: RunCommand, down: Downloader): Promise<void> {
  const archives = join(down.input, 'apt/archives');
  const deb = (await readdir(archives)).find((name) => name.startsWith('libeatmydata1_')) ?? '';
  const to = join(down.input, 'eatmydata');
  const { status } = await run(['dpkg-deb', '--extract', join(archives, deb), to], {
    signal: down.signal,
    timeoutMs: commandLimitMs,
    onLine: down.log,
  });
  const paths = status === 0 ? await readdir(to, { recursive: true }) : [];
  const library = paths.find((path) => /libeatmydata\.so\.[\d.]+$/.test(path));
  if (library === undefined)
    throw new CoiError('image-build-failed', 'libeatmydata could not be unpacked');
  await copyFile(join(to, library), join(down.input, 'libeatmydata.so'));
}
