// Which names complete which argument, and how they are printed. Pure.

export type NameKind =
  | 'sessions'
  /** `NAME:`, before a path in it. */
  | 'copies'
  | 'aliases'
  | 'profiles'
  | 'images'
  | 'snapshots'
  | 'saved'
  | 'slots'
  | 'tools'
  | 'network-modes'
  | 'keys'
  | 'shells'
  | 'validated'
  /** Paths, which the shell knows best. */
  | 'files'
  /** A text of the user's own. */
  | 'nothing';

export interface Candidate {
  readonly word: string;
  /** What it is, in a few words. */
  readonly text?: string | undefined;
}

/** Candidates for the last word; `files`: paths may stand there as well. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly files: boolean;
}

export const nothing: Completion = { candidates: [], files: false };

const ofFlags: Readonly<Record<string, NameKind>> = {
  '--profile': 'profiles',
  '--inherits': 'profiles',
  '--image': 'images',
  '--base': 'images',
  '--container': 'sessions',
  '--resume': 'saved',
  '--continue': 'saved',
  '--resume-id': 'saved',
  '--slot': 'slots',
  '--tool': 'tools',
  '--network': 'network-modes',
};

/** What a flag's value names; `placeholder` is how its help shows it, as `<path>`. */
export function kindOfValue(flag: string, placeholder: string): NameKind {
  return (
    ofFlags[flag] ?? (/path|file|host:container|directory/.test(placeholder) ? 'files' : 'nothing')
  );
}

interface Kinds {
  /** Of the arguments in their order. */
  readonly each: readonly NameKind[];
  /** Of all further ones. */
  readonly rest?: NameKind;
}

const one = (...each: NameKind[]): Kinds => ({ each });
const many = (rest: NameKind, ...each: NameKind[]): Kinds => ({ each, rest });

const ofArguments: Readonly<Record<string, Kinds>> = {
  shell: one('aliases'),
  run: many('files'),
  attach: one('sessions'),
  paste: many('files', 'sessions'),
  kill: many('sessions'),
  shutdown: many('sessions'),
  persist: many('sessions'),
  unfreeze: one('sessions'),
  clean: many('sessions'),
  monitor: one('sessions'),
  audit: one('sessions'),
  logs: one('sessions'),
  top: one('sessions'),
  fork: one('sessions'),
  info: one('saved'),
  untrust: one('files'),
  completion: one('shells'),
  validate: one('validated', 'files'),
  'config show': one('keys'),
  'ssh-config': one('sessions'),
  'login take': one('sessions'),
  'ports list': one('sessions'),
  'ports add': one('nothing', 'sessions'),
  'ports remove': one('nothing', 'sessions'),
  'tmux send': one('sessions'),
  'tmux capture': one('sessions'),
  'file push': one('files', 'copies'),
  'file pull': one('copies', 'files'),
  'container launch': one('images'),
  'container mount': one('sessions', 'nothing', 'files'),
  'image publish': one('sessions'),
  'image delete': one('images'),
  'image exists': one('images'),
  'image info': one('images'),
  'snapshot restore': one('snapshots'),
  'snapshot delete': one('snapshots'),
  'snapshot info': one('snapshots'),
  'profile info': one('profiles'),
  'profile edit': one('profiles'),
  'profile delete': one('profiles'),
  container: many('files', 'sessions'),
};

/** What the argument of that number (from 0) of a command names. */
export function kindOfArgument(command: string, sub: string | undefined, number: number): NameKind {
  const kinds = (sub && ofArguments[`${command} ${sub}`]) || ofArguments[command];
  return kinds?.each[number] ?? kinds?.rest ?? 'nothing';
}

const textCharsMax = 80;

/**
 * Those that go on with what is typed. Shells expand them once more, so only harmless characters may be in them. What
 * describes them may come from an agent: it is one line of text and nothing for the terminal.
 */
export function safeCandidates(all: readonly Candidate[], current: string): Candidate[] {
  const known = new Map<string, Candidate>();
  for (const { word, text } of all) {
    if (!/^[A-Za-z0-9._:@/=+-]{1,200}$/.test(word) || !word.startsWith(current)) continue;
    if (known.has(word)) continue;
    const shown = [...(text ?? '').replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim()];
    known.set(word, { word, text: shown.slice(0, textCharsMax).join('') });
  }
  return [...known.values()];
}

/** A line that no candidate looks like: the shell may offer paths as well. */
const filesLine = ':files';

/** As `word<TAB>text`, one a line. */
export function describedLines({ candidates, files }: Completion): string[] {
  const lines = candidates.map(({ word, text }) => (text ? `${word}\t${text}` : word));
  return files ? [...lines, filesLine] : lines;
}
