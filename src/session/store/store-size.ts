// Disk usage of a stored session; links that its container left are not followed.
import type { Directory, HostFiles } from '../../host/fs/host-files.ts';

const entriesMax = 200_000;

export interface StoreSize {
  readonly bytes: number;
  readonly files: number;
  /** False if the entry limit was reached or a directory could not be read. */
  readonly complete: boolean;
}

/** Total size of the regular files below a directory; undefined if it does not exist. */
export function measureStore(path: string, files: HostFiles): StoreSize | undefined {
  using top = files.open(path);
  if (!top) return undefined;
  const sum = { bytes: 0, files: 0, complete: true, left: entriesMax };
  add(top, sum, files);
  return { bytes: sum.bytes, files: sum.files, complete: sum.complete };
}

function add(
  directory: Directory,
  sum: { bytes: number; files: number; complete: boolean; left: number },
  files: HostFiles,
): void {
  try {
    for (const { name, kind } of directory.entries()) {
      sum.left -= 1;
      if (sum.left < 0) {
        sum.complete = false;
        return;
      }
      if (kind === 'file') {
        const found = directory.entry(name);
        sum.bytes += found?.kind === 'file' ? found.stat.size : 0;
        sum.files += 1;
      } else if (kind === 'directory') {
        using inner = directory.openDirectory(name);
        if (inner) add(inner, sum, files);
      }
    }
  } catch (error) {
    if (!files.asFileError(error)) throw error;
    sum.complete = false;
  }
}
