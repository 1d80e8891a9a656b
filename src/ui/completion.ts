// Which names complete which argument. Pure.

export type NameKind =
  | 'sessions'
  | 'aliases'
  | 'profiles'
  | 'images'
  | 'snapshots'
  | 'saved'
  | 'files';

const ofSessions = [
  'attach',
  'kill',
  'shutdown',
  'persist',
  'unfreeze',
  'monitor',
  'audit',
  'logs',
  'top',
  'fork',
  'clean',
  'container',
  'tmux',
  'file',
  'ports',
  'ssh-config',
];

/** What a flag's value names. */
export function kindOfValue(flag: string): NameKind {
  switch (flag) {
    case '--profile':
    case '--inherits':
      return 'profiles';
    case '--image':
    case '--base':
      return 'images';
    case '--container':
      return 'sessions';
    case '--resume-id':
      return 'saved';
    default:
      return 'files';
  }
}

/** What the arguments of a command name. */
export function kindOfArgument(command: string, sub: string | undefined): NameKind {
  if (command === 'shell') return 'aliases';
  if (command === 'container' && sub === 'launch') return 'images';
  if (ofSessions.includes(command)) return 'sessions';
  if (command === 'image') return sub === 'publish' ? 'sessions' : 'images';
  if (command === 'snapshot') return sub === 'create' ? 'files' : 'snapshots';
  if (command === 'profile') return sub === 'create' ? 'files' : 'profiles';
  if (command === 'info') return 'saved';
  return 'files';
}

/** Those that go on with what is typed. Shells expand them once more, so only harmless characters may be in them. */
export function safeCandidates(names: readonly string[], current: string): string[] {
  const safe = names.filter((name) => /^[A-Za-z0-9._:@/=+-]{1,200}$/.test(name));
  return [...new Set(safe)].filter((name) => name.startsWith(current)).sort();
}
