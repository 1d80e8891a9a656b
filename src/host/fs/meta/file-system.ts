// The file system of a path or descriptor, from the mount table, for display. Source: proc(5), mountinfo and fdinfo.
import { readFileSync } from 'node:fs';
import { innermost, mountPoints } from '../../linux/mounts.ts';

export interface FileSystem {
  /** As the mount table shows it, such as `ext4`, `nfs4` or `fuse.sshfs`. */
  readonly type: string;
  readonly mountPoint: string;
  /** Options of the file system, not of this mount. */
  readonly options: readonly string[];
}

/** The file system of a descriptor; undefined if the mount table does not list it. */
export function fileSystemOf(fd: number): FileSystem | undefined {
  const mount = /^mnt_id:\s*(\d+)$/m.exec(text(`/proc/self/fdinfo/${fd}`))?.[1];
  const line = table().find((one) => mount !== undefined && one.startsWith(`${mount} `));
  return line === undefined ? undefined : parseMountLine(line);
}

/** The file system of an absolute path without links; the path itself is not accessed. */
export function fileSystemAt(path: string): FileSystem | undefined {
  return innermostFileSystem(table(), path);
}

/** The innermost mount at or above a path; of stacked mounts, the last. */
export function innermostFileSystem(
  lines: readonly string[],
  path: string,
): FileSystem | undefined {
  const mounts = lines.flatMap((line) => {
    const fileSystem = parseMountLine(line);
    return fileSystem ? [{ point: fileSystem.mountPoint, fileSystem }] : [];
  });
  return innermost(mounts, path)?.fileSystem;
}

/** Why a FUSE file system denies all access, whatever its permissions. */
export interface FuseProblem {
  readonly fileSystem: string;
  /** `allow_other`: only the user who mounted it has access, not even root (fuse(4)). `program`: its server is gone. */
  readonly lacks: 'allow_other' | 'program';
}

/** Whether FUSE explains the error code at an absolute path; undefined if it does not. */
export function fuseProblemAt(path: string, code: string | undefined): FuseProblem | undefined {
  if (code !== 'EACCES' && code !== 'ENOTCONN') return undefined;
  const found = fileSystemAt(path);
  return found && fuseProblemOf(found, code);
}

export function fuseProblemOf(
  { type, options }: Pick<FileSystem, 'type' | 'options'>,
  code: 'EACCES' | 'ENOTCONN',
): FuseProblem | undefined {
  if (!/^fuse(?:blk)?(?:\.|$)/.test(type)) return undefined;
  if (code === 'ENOTCONN') return { fileSystem: type, lacks: 'program' };
  return options.includes('allow_other') ? undefined : { fileSystem: type, lacks: 'allow_other' };
}

function parseMountLine(line: string): FileSystem | undefined {
  const [mountPoint] = mountPoints(line);
  const [type, , options] = line.split(' - ')[1]?.split(' ') ?? [];
  if (mountPoint === undefined || type === undefined) return undefined;
  return { type, mountPoint, options: options?.split(',') ?? [] };
}

function table(): string[] {
  return text('/proc/self/mountinfo').split('\n');
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
