// Installs the running program where only root can write: one directory per version, named by content hash, and a link
// that switches atomically.
import { createHash, randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import sea from 'node:sea';
import { launcherLines } from '../process/command-line.ts';

export interface Program {
  /** The built bundle: the directory of main.js. Undefined where one executable file holds everything. */
  readonly bundleDir: string | undefined;
  /** Node, or that one file. */
  readonly nodePath: string;
  /** Distinguishes binaries of equal size: the output of `node --version`, or the build id of the release. */
  readonly nodeVersion: string;
  /** The text of coi(1), if it is not a file of the bundle. */
  readonly manPage?: string | undefined;
}

export interface InstallPaths {
  /** Contains one directory per version and the link `current`. */
  readonly libDir: string;
  /** The link that users call. */
  readonly linkPath: string;
  /** The link that man(1) finds. */
  readonly manPath: string;
}

/** `other`: another file is where our link should be. */
type Link = 'ours' | 'missing' | 'other';

export interface InstallState {
  /** Named by content: 16 hex digits of SHA-256. */
  readonly wanted: string;
  readonly installed: string | undefined;
  readonly link: Link;
  /** Another link, such as npm's, also leads to a page and is left alone. */
  readonly man: Link;
}

export interface Installer {
  readonly installPaths: InstallPaths;
  /** Directories that exist while coi is installed or partly removed. */
  readonly paths: readonly string[];
  state(): Promise<InstallState>;
  /** Needs root. Keeps versions that a process still runs. At any moment a version is complete or absent. */
  install(): Promise<void>;
  /** Removes all versions and those links that are ours, and restores the previous `linkPath`. */
  remove(before: string | undefined): Promise<void>;
}

interface Item {
  readonly from: string;
  /** Relative to the version's directory. */
  readonly to: string;
  readonly executable: boolean;
}

/** The running program; undefined when it runs from its sources. */
export function currentProgram(): Program | undefined {
  const nodePath = process.execPath;
  if (sea.isSea())
    return {
      bundleDir: undefined,
      nodePath,
      nodeVersion: sea.getAsset('build-id', 'utf8'),
      manPage: sea.getAsset('coi.1', 'utf8'),
    };
  const bundleDir = import.meta.dirname;
  return existsSync(join(bundleDir, 'main.js'))
    ? { bundleDir, nodePath, nodeVersion: process.version }
    : undefined;
}

export function createInstaller(program: Program, places: InstallPaths): Installer {
  return {
    installPaths: places,
    paths: [places.libDir, removedPath(places)],
    state: () => installState(program, places),
    install: () => install(program, places),
    remove: (before) => removeProgram(places, before),
  };
}

async function installState(program: Program, places: InstallPaths): Promise<InstallState> {
  const [wanted, installed, link, man] = await Promise.all([
    listItems(program).then((all) => contentHash(all, program)),
    linkTarget(join(places.libDir, 'current')),
    linkState(places.linkPath, launcherPath(places)),
    linkState(places.manPath, pagePath(places)),
  ]);
  const complete =
    installed !== undefined && (await isFile(join(places.libDir, installed, 'bin/coi')));
  return { wanted, installed: complete ? installed : undefined, link, man };
}

async function linkState(path: string, wanted: string): Promise<Link> {
  const [target, kind] = await Promise.all([
    linkTarget(path),
    fs.lstat(path).catch(() => undefined),
  ]);
  return kind === undefined ? 'missing' : target === wanted ? 'ours' : 'other';
}

async function install(program: Program, places: InstallPaths): Promise<void> {
  const all = await listItems(program);
  const version = await contentHash(all, program);
  const target = join(places.libDir, version);
  await fs.mkdir(places.libDir, { recursive: true, mode: 0o755 });
  await sweepStaging(places.libDir);
  if (!(await isFile(join(target, 'bin/coi')))) {
    const staging = join(places.libDir, `.new-${process.pid}-${randomBytes(4).toString('hex')}`);
    try {
      for (const item of all) await copyItem(item, join(staging, item.to));
      if (program.bundleDir !== undefined) await writeLauncher(staging, target);
      if (program.manPage !== undefined) await writePage(staging, program.manPage);
      await fs.rm(target, { recursive: true, force: true });
      await fs.rename(staging, target);
    } catch (error) {
      await fs.rm(staging, { recursive: true, force: true });
      throw error;
    }
  }
  await replaceLink(join(places.libDir, 'current'), version);
  await fs.mkdir(dirname(places.linkPath), { recursive: true });
  const old = await fs.lstat(places.linkPath).catch(() => undefined);
  // Another program of that name is moved aside, never overwritten.
  if (old && !old.isSymbolicLink()) await fs.rename(places.linkPath, backupPath(places));
  await replaceLink(places.linkPath, launcherPath(places));
  if ((await linkState(places.manPath, pagePath(places))) === 'missing') {
    await fs.mkdir(dirname(places.manPath), { recursive: true });
    await replaceLink(places.manPath, pagePath(places));
  }
  await removeUnused(places.libDir, version);
}

const launcherPath = (places: InstallPaths) => join(places.libDir, 'current/bin/coi');
const pagePath = (places: InstallPaths) => join(places.libDir, 'current/dist/man/coi.1');
const removedPath = ({ libDir }: InstallPaths) => `${libDir}.removed`;
const backupPath = ({ linkPath }: InstallPaths) => `${linkPath}.before-setup`;

/** The order allows an interruption anywhere and a retry: the versions are renamed first, then deleted. */
async function removeProgram(places: InstallPaths, before: string | undefined): Promise<void> {
  if ((await linkState(places.manPath, pagePath(places))) === 'ours') await fs.rm(places.manPath);
  if ((await linkState(places.linkPath, launcherPath(places))) === 'ours') {
    const aside = await fs.lstat(backupPath(places)).catch(() => undefined);
    if (aside) await fs.rename(backupPath(places), places.linkPath);
    // For example npm's link, while its package is installed.
    else if (before !== undefined && (await isFile(resolve(dirname(places.linkPath), before))))
      await replaceLink(places.linkPath, before);
    else await fs.rm(places.linkPath);
  }
  const gone = removedPath(places);
  await fs.rm(gone, { recursive: true, force: true });
  await fs.rename(places.libDir, gone).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await fs.rm(gone, { recursive: true, force: true });
}

/** The files of an installation, sorted by target. Links are refused, since they could lead out of the tree. */
async function listItems({ bundleDir, nodePath }: Program): Promise<Item[]> {
  if (bundleDir === undefined) return [{ from: nodePath, to: 'bin/coi', executable: true }];
  const found = await filesBelow(bundleDir, 'dist');
  found.push({ from: nodePath, to: 'bin/node', executable: true });
  return found.sort((a, b) => (a.to < b.to ? -1 : 1));
}

async function filesBelow(from: string, to: string): Promise<Item[]> {
  const entries = await fs.readdir(from, { withFileTypes: true });
  const found = entries.map(async (entry): Promise<Item[]> => {
    const [path, target] = [join(from, entry.name), `${to}/${entry.name}`];
    if (entry.isDirectory()) return filesBelow(path, target);
    if (!entry.isFile()) throw new Error(`${path} is neither a file nor a directory`);
    return [{ from: path, to: target, executable: entry.name.endsWith('.sh') }];
  });
  return (await Promise.all(found)).flat();
}

/** The Node binary is identified by version and size: hashing its 120 MB would take longer than everything else. */
async function contentHash(
  all: readonly Item[],
  { nodePath, nodeVersion }: Program,
): Promise<string> {
  const hash = createHash('sha256');
  for (const { from, to } of all) {
    const content =
      from === nodePath ? `${nodeVersion} ${(await fs.stat(from)).size}` : await fs.readFile(from);
    hash.update(`${to}\0`).update(createHash('sha256').update(content).digest());
  }
  return hash.digest('hex').slice(0, 16);
}

async function copyItem({ from, executable }: Item, to: string): Promise<void> {
  await fs.mkdir(dirname(to), { recursive: true, mode: 0o755 });
  await fs.copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  // Not the source's modes: a checkout may be group-writable.
  await fs.chmod(to, executable ? 0o755 : 0o644);
}

async function writeLauncher(staging: string, target: string): Promise<void> {
  const text = `#!/bin/sh\n# Written by \`coi setup\`.\n${launcherLines}\nexec ${target}/bin/node ${target}/dist/main.js\n`;
  await fs.writeFile(join(staging, 'bin/coi'), text, { mode: 0o755 });
  await fs.chmod(join(staging, 'bin/coi'), 0o755);
}

async function writePage(staging: string, text: string): Promise<void> {
  await fs.mkdir(join(staging, 'dist/man'), { recursive: true, mode: 0o755 });
  await fs.writeFile(join(staging, 'dist/man/coi.1'), text, { mode: 0o644 });
}

async function replaceLink(path: string, target: string): Promise<void> {
  if ((await linkTarget(path)) === target) return;
  const temporary = `${path}.${randomBytes(4).toString('hex')}`;
  await fs.symlink(target, temporary);
  await fs.rename(temporary, path);
}

/** Removes leftovers of interrupted installations. */
async function sweepStaging(libDir: string): Promise<void> {
  const stale = (await fs.readdir(libDir)).filter((name) => name.startsWith('.new-'));
  await Promise.all(
    stale.map((name) => fs.rm(join(libDir, name), { recursive: true, force: true })),
  );
}

/** Removes versions that no process runs; a running coi still loads files of its version. */
async function removeUnused(libDir: string, keep: string): Promise<void> {
  const pids = (await fs.readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const programs = await Promise.all(pids.map((pid) => linkTarget(`/proc/${pid}/exe`)));
  const versions = (await fs.readdir(libDir)).filter(
    (name) => /^[0-9a-f]{16}$/.test(name) && name !== keep,
  );
  const unused = versions.filter(
    (name) => !programs.some((path) => path?.startsWith(`${libDir}/${name}/`)),
  );
  await Promise.all(
    unused.map((name) => fs.rm(join(libDir, name), { recursive: true, force: true })),
  );
}

async function linkTarget(path: string): Promise<string | undefined> {
  return fs.readlink(path).catch(() => undefined);
}

async function isFile(path: string): Promise<boolean> {
  return (await fs.stat(path).catch(() => undefined))?.isFile() ?? false;
}
