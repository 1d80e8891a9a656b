// The kind of names that completes each argument, and the output format of candidates. Pure.

export type NameKind =
  | 'sessions'
  /** `NAME:`, before a path in the container. */
  | 'container-paths'
  | 'aliases'
  /** Own trees of the repository. */
  | 'trees'
  | 'profiles'
  | 'images'
  | 'snapshots'
  | 'saved-sessions'
  | 'slots'
  | 'tools'
  | 'network-modes'
  | 'keys'
  | 'shells'
  | 'validate-arguments'
  /** Paths, which the shell completes. */
  | 'files'
  /** Free text. */
  | 'none';

export interface Candidate {
  readonly word: string;
  /** A short description. */
  readonly text?: string | undefined;
}

/** Candidates for the last word; `files`: a path is possible, too. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly files: boolean;
}

export const noCompletion: Completion = { candidates: [], files: false };

const flagKinds: Readonly<Record<string, NameKind>> = {
  '--profile': 'profiles',
  '--inherits': 'profiles',
  '--image': 'images',
  '--base': 'images',
  '--container': 'sessions',
  '--resume': 'saved-sessions',
  '--continue': 'saved-sessions',
  '--resume-id': 'saved-sessions',
  '--session': 'sessions',
  '--slot': 'slots',
  '--tool': 'tools',
  '--network': 'network-modes',
  '--branch': 'trees',
};

/** The kind of a flag's value; `placeholder` is its name in the help, such as `<path>`. */
export function kindOfValue(flag: string, placeholder: string): NameKind {
  return (
    flagKinds[flag] ?? (/path|file|host:container|directory/.test(placeholder) ? 'files' : 'none')
  );
}

interface Kinds {
  /** Kinds of the arguments, in order. */
  readonly each: readonly NameKind[];
  /** Kind of all further arguments. */
  readonly rest?: NameKind;
}

const only = (...each: NameKind[]): Kinds => ({ each });
const withRest = (rest: NameKind, ...each: NameKind[]): Kinds => ({ each, rest });

const argumentKinds: Readonly<Record<string, Kinds>> = {
  shell: only('aliases'),
  run: withRest('files'),
  attach: only('sessions'),
  paste: withRest('files', 'sessions'),
  send: only('sessions'),
  answer: only('sessions'),
  wait: withRest('sessions'),
  seen: withRest('sessions'),
  kill: withRest('sessions'),
  shutdown: withRest('sessions'),
  persist: withRest('sessions'),
  unfreeze: only('sessions'),
  clean: withRest('sessions'),
  diff: withRest('files', 'trees'),
  merge: only('trees'),
  discard: only('trees'),
  monitor: only('sessions'),
  audit: only('sessions'),
  logs: only('sessions'),
  top: only('sessions'),
  fork: only('sessions'),
  info: only('saved-sessions'),
  untrust: only('files'),
  completion: only('shells'),
  validate: only('validate-arguments', 'files'),
  'config show': only('keys'),
  'ssh-config': only('sessions'),
  'login take': only('sessions'),
  'ports list': only('sessions'),
  'ports add': only('none', 'sessions'),
  'ports remove': only('none', 'sessions'),
  'tmux send': only('sessions'),
  'tmux capture': only('sessions'),
  'file push': only('files', 'container-paths'),
  'file pull': only('container-paths', 'files'),
  'container launch': only('images'),
  'container mount': only('sessions', 'none', 'files'),
  'image publish': only('sessions'),
  'image delete': only('images'),
  'image exists': only('images'),
  'image info': only('images'),
  'snapshot restore': only('snapshots'),
  'snapshot delete': only('snapshots'),
  'snapshot info': only('snapshots'),
  'profile info': only('profiles'),
  'profile edit': only('profiles'),
  'profile delete': only('profiles'),
  container: withRest('files', 'sessions'),
};

/** The kind of a command's argument, counted from 0. */
export function kindOfArgument(command: string, sub: string | undefined, number: number): NameKind {
  const kinds = (sub && argumentKinds[`${command} ${sub}`]) || argumentKinds[command];
  return kinds?.each[number] ?? kinds?.rest ?? 'none';
}

const textCharsMax = 80;

/**
 * The candidates that start with `current`. Shells expand them again, so they may contain harmless characters only. A
 * description may come from an agent, so it becomes one line without control characters.
 */
export function filterCandidates(all: readonly Candidate[], current: string): Candidate[] {
  const known = new Map<string, Candidate>();
  for (const { word, text } of all) {
    if (!/^[A-Za-z0-9._:@/=+-]{1,200}$/.test(word) || !word.startsWith(current)) continue;
    if (known.has(word)) continue;
    const shown = [...(text ?? '').replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim()];
    known.set(word, { word, text: shown.slice(0, textCharsMax).join('') });
  }
  return [...known.values()];
}

/** Tells the shell to offer paths, too. No candidate starts with a colon. */
const filesLine = ':files';

/** Lines of the form `word<TAB>text`. */
export function candidateLines({ candidates, files }: Completion): string[] {
  const lines = candidates.map(({ word, text }) => (text ? `${word}\t${text}` : word));
  return files ? [...lines, filesLine] : lines;
}
