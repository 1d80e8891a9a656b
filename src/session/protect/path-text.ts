// Workspace paths as strings: relative, without `.` and links, empty for the workspace itself. Pure.

/** Joins paths. `directory` has no links, so `..` is its parent. */
export function joinPath(directory: string, path: string): string {
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

/** The directories between `above` and a path in it, outermost first. */
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

/** Whether `path` is `above` or below it. */
export function isWithin(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`);
}

export function isBelowAny(path: string, all: ReadonlySet<string>): boolean {
  return isAnyAbove(path, (above) => all.has(above));
}

/** Tests the path and each of its ancestors, together with the rest of the path. */
export function isAnyAbove(path: string, is: (above: string, rest: string) => boolean): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
    if (is(path.slice(0, end), path.slice(end + 1))) return true;
  return false;
}

/** Device paths, which are never a program in a workspace. */
export function isDevice(path: string): boolean {
  return devices.test(path);
}

const devices = /^\/dev\/(?:null|zero|full|tty|u?random|std(?:in|out|err)|fd\/\d+)$/;
