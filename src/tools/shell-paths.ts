// Maps host paths in a shell command to paths in the container. Pure. Cautious rather than complete: a command with
// something that looks like a path of the user's home, but is unknown in the container, is rejected.

export interface ContainerFacts {
  /** The user's home on the host, and that of the agent's user in the container. */
  readonly hostHome: string;
  readonly guestHome: string;
  /** The workspace on the host and in the container. */
  readonly workspace: string;
  readonly target: string;
  /** Whether the session has a path, relative to the home. */
  readonly has: (path: string) => boolean;
}

export type CommandFitResult =
  | { readonly kind: 'fits'; readonly text: string }
  /** `path` as written in the command. */
  | { readonly kind: 'missing'; readonly path: string };

/** Directories of every Linux system; if a program is missing there, the shell reports it. */
const everywhere = /^\/(?:bin|sbin|usr|lib|lib64|etc|dev|proc|sys|tmp|var|run)(?:\/|$)/;

/** Where a path may begin: not within a word, after a quoted part of a word, or at the second slash of a URL. */
const begin = String.raw`(?<=(?:^|[\s\x60=:;|&()<>,])["']?)`;
const home = String.raw`~|\$HOME\b|\$\{HOME\}`;
/** Up to the end of a word; a backslash escapes the next character. */
const rest = String.raw`(?:\\.|[^\s"'\x60;|&()<>\\])*`;
const inQuotes = (quote: string) =>
  String.raw`(?<=${quote})(?:(?:${home})(?=/)|(?=/[^/]))[^${quote}\n]*(?=${quote})`;
const whole = new RegExp(`${inQuotes('"')}|${inQuotes("'")}`, 'g');
const word = new RegExp(`${begin}(?:(?:${home})(?=/)|(?=/[^/\\s]))${rest}`, 'g');
/** Homes of other users, and unsupported notations of the home. */
const unclear = new RegExp(`${begin}~[A-Za-z_+-]`);

/** The command for the container, or the first path that is missing there. */
export function fitCommand(command: string, facts: ContainerFacts): CommandFitResult {
  // A completely quoted word may contain spaces; it is one path if the session has that path.
  const quoted = command.replace(whole, (path) => mapPath(path, facts) ?? path);
  let missing: string | undefined;
  const text = quoted.replace(word, (path) => {
    const inside = mapPath(path.replace(/\\(.)/g, '$1'), facts);
    if (inside === undefined) missing ??= path;
    return inside === undefined ? path : inside === path ? path : escapeShell(inside);
  });
  if (missing !== undefined) return { kind: 'missing', path: missing };
  const left = text.replace(word, '');
  const [other] = unclear.exec(left) ?? [];
  if (other !== undefined) return { kind: 'missing', path: other };
  return left.includes(facts.hostHome) && facts.hostHome !== facts.guestHome
    ? { kind: 'missing', path: facts.hostHome }
    : { kind: 'fits', text };
}

/** A path in the container; undefined if the session does not have it. */
function mapPath(path: string, facts: ContainerFacts): string | undefined {
  const { hostHome, guestHome, workspace, target, has } = facts;
  const absolute = path.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/)/, hostHome);
  const ofWorkspace = below(absolute, workspace);
  if (ofWorkspace !== undefined) return `${target}${ofWorkspace}`;
  // Already mapped, or written for the container.
  for (const inside of [target, guestHome])
    if (inside !== hostHome && below(absolute, inside) !== undefined) return path;
  const ofHome = below(absolute, hostHome);
  if (ofHome !== undefined) {
    const relative = ofHome.slice(1).replace(/\/+$/, '');
    if (relative === '' || !has(relative)) return undefined;
    // `~/…` and `$HOME/…` also work in the container.
    return path === absolute ? `${guestHome}${ofHome}` : path;
  }
  return everywhere.test(absolute) ? path : undefined;
}

/** The rest of a path below the directory: '' for the directory itself, undefined if it is elsewhere. */
function below(path: string, directory: string): string | undefined {
  if (path === directory) return '';
  return path.startsWith(`${directory}/`) ? path.slice(directory.length) : undefined;
}

function escapeShell(path: string): string {
  return path.replace(/[\s"'`;|&()<>\\]/g, '\\$&');
}
