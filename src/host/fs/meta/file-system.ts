// Which file system something lies on, for people: what the mount table says. Source: proc(5), mountinfo and fdinfo.
import { readFileSync } from 'node:fs';
import { innermost, mountPoints } from '../../linux/mounts.ts';

export interface FileSystem {
  /** As the mount table shows it, such as `ext4`, `nfs4` or `fuse.sshfs`. */
  readonly type: string;
  readonly mountPoint: string;
  /** Of the file system itself, not of this one mount. */
  readonly options: readonly string[];
}

/** What is open lies on it; undefined where the mount table does not tell. */
export function fileSystemOf(fd: number): FileSystem | undefined {
  const mount = /^mnt_id:\s*(\d+)$/m.exec(text(`/proc/self/fdinfo/${fd}`))?.[1];
  const line = table().find((one) => mount !== undefined && one.startsWith(`${mount} `));
  return line === undefined ? undefined : parsed(line);
}

/** What an absolute path without links lies on, without looking at the path itself. */
export function fileSystemAt(path: string): FileSystem | undefined {
  return lastOver(table(), path);
}

/** The innermost of those mounted at or above a path; of several at one place the last. */
export function lastOver(lines: readonly string[], path: string): FileSystem | undefined {
  const mounts = lines.flatMap((line) => {
    const fileSystem = parsed(line);
    return fileSystem ? [{ point: fileSystem.mountPoint, fileSystem }] : [];
  });
  return innermost(mounts, path)?.fileSystem;
}

/** Why nobody gets into a file system that a program serves, whatever the permissions in it say. */
export interface Closed {
  readonly fileSystem: string;
  /** `allow_other`: all but the user who mounted it are kept out, root too (fuse(4)). `program`: its program is gone. */
  readonly lacks: 'allow_other' | 'program';
}

/** What the code of a failed call at an absolute path comes from; undefined where it is something usual. */
export function closedAt(path: string, code: string | undefined): Closed | undefined {
  if (code !== 'EACCES' && code !== 'ENOTCONN') return undefined;
  const found = fileSystemAt(path);
  return found && closedBy(found, code);
}

export function closedBy(
  { type, options }: Pick<FileSystem, 'type' | 'options'>,
  code: 'EACCES' | 'ENOTCONN',
): Closed | undefined {
  if (!/^fuse(?:blk)?(?:\.|$)/.test(type)) return undefined;
  if (code === 'ENOTCONN') return { fileSystem: type, lacks: 'program' };
  return options.includes('allow_other') ? undefined : { fileSystem: type, lacks: 'allow_other' };
}

function parsed(line: string): FileSystem | undefined {
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
