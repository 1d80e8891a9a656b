// Paths of the host in a command that is shell text: which it names, and the same command for inside. Pure, and careful
// rather than complete: what looks like a path of the user's home and is not known inside speaks against the command.

export interface InsideFacts {
  /** The user's home on the host, and that of the agent's user in the container. */
  readonly hostHome: string;
  readonly guestHome: string;
  /** The workspace on the host and in the container. */
  readonly workspace: string;
  readonly target: string;
  /** Whether a path, relative to the home, is a file or directory that the session has. */
  readonly has: (path: string) => boolean;
}

export type Fitted =
  | { readonly kind: 'fits'; readonly text: string }
  /** `path` as the command has it. */
  | { readonly kind: 'missing'; readonly path: string };

/** What every Linux has, or makes for itself; a program that is missing there is told as that by the shell. */
const everywhere = /^\/(?:bin|sbin|usr|lib|lib64|etc|dev|proc|sys|tmp|var|run)(?:\/|$)/;

/** Where a path may begin: not within a word, nor after a quoted part of one, nor with the second slash of an address. */
const begin = String.raw`(?<=(?:^|[\s\x60=:;|&()<>,])["']?)`;
const home = String.raw`~|\$HOME\b|\$\{HOME\}`;
/** To the end of a word; a backslash takes the next character with it. */
const rest = String.raw`(?:\\.|[^\s"'\x60;|&()<>\\])*`;
const inQuotes = (quote: string) =>
  String.raw`(?<=${quote})(?:(?:${home})(?=/)|(?=/[^/]))[^${quote}\n]*(?=${quote})`;
const whole = new RegExp(`${inQuotes('"')}|${inQuotes("'")}`, 'g');
const word = new RegExp(`${begin}(?:(?:${home})(?=/)|(?=/[^/\\s]))${rest}`, 'g');
/** Homes of other users, and the home by a way that is not understood. */
const unclear = new RegExp(`${begin}~[A-Za-z_+-]`);

/** The command as it has to be inside, or the first path that is not there. */
export function fitted(command: string, facts: InsideFacts): Fitted {
  // What is quoted as a whole may hold blanks; it is one path where the session knows it as one.
  const quoted = command.replace(whole, (path) => known(path, facts) ?? path);
  let missing: string | undefined;
  const text = quoted.replace(word, (path) => {
    const inside = known(path.replace(/\\(.)/g, '$1'), facts);
    if (inside === undefined) missing ??= path;
    return inside === undefined ? path : inside === path ? path : escaped(inside);
  });
  if (missing !== undefined) return { kind: 'missing', path: missing };
  const left = text.replace(word, '');
  const [other] = unclear.exec(left) ?? [];
  if (other !== undefined) return { kind: 'missing', path: other };
  return left.includes(facts.hostHome) && facts.hostHome !== facts.guestHome
    ? { kind: 'missing', path: facts.hostHome }
    : { kind: 'fits', text };
}

/** A path as it is inside; undefined where the session does not have it. */
function known(path: string, facts: InsideFacts): string | undefined {
  const { hostHome, guestHome, workspace, target, has } = facts;
  const absolute = path.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/)/, hostHome);
  const ofWorkspace = below(absolute, workspace);
  if (ofWorkspace !== undefined) return `${target}${ofWorkspace}`;
  // Text that was fitted already, or is written for the container.
  for (const inside of [target, guestHome])
    if (inside !== hostHome && below(absolute, inside) !== undefined) return path;
  const ofHome = below(absolute, hostHome);
  if (ofHome !== undefined) {
    const relative = ofHome.slice(1).replace(/\/+$/, '');
    if (relative === '' || !has(relative)) return undefined;
    // `~/…` and `$HOME/…` mean the same inside.
    return path === absolute ? `${guestHome}${ofHome}` : path;
  }
  return everywhere.test(absolute) ? path : undefined;
}

/** What of a path follows the directory: '' for itself, undefined if it is elsewhere. */
function below(path: string, directory: string): string | undefined {
  if (path === directory) return '';
  return path.startsWith(`${directory}/`) ? path.slice(directory.length) : undefined;
}

function escaped(path: string): string {
  return path.replace(/[\s"'`;|&()<>\\]/g, '\\$&');
}
