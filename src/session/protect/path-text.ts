// Paths of a workspace as text: relative to it, without `.` and links, and empty for the workspace itself. Pure.

/** A directory has no links in its path, so that `..` leads to the one above it. */
export function joined(directory: string, path: string): string {
  const above = directory === '' ? [] : directory.split('/');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  while (parts[0] === '..' && above.length > 0) {
    parts.shift();
    above.pop();
  }
  return [...above, ...parts].join('/');
}

export function directoryOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at < 0 ? '' : path.slice(0, at);
}

/** The directories below `above` on the way to something in it, from the outermost on. */
export function directoriesBetween(above: string, path: string): string[] {
  const parts = path
    .slice(above.length + 1)
    .split('/')
    .slice(0, -1);
  return parts.map((_, depth) => [above, ...parts.slice(0, depth + 1)].join('/'));
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path itself, or something in it. */
export function isWithin(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`);
}

export function isBelowAny(path: string, all: ReadonlySet<string>): boolean {
  return isAnyAbove(path, (above) => all.has(above));
}

/** The path itself and what is above it, each with what is left of the path below that. */
export function isAnyAbove(path: string, is: (above: string, rest: string) => boolean): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
    if (is(path.slice(0, end), path.slice(end + 1))) return true;
  return false;
}

/** What is another thing for each process, and no program of a workspace for any. */
export function isDevice(path: string): boolean {
  return devices.test(path);
}

const devices = /^\/dev\/(?:null|zero|full|tty|u?random|std(?:in|out|err)|fd\/\d+)$/;
