// What changed between two trees, as git prints it. Pure. Source: git-diff-tree(1), "Raw output format" and `--numstat -z`.

export type ChangeKind = 'added' | 'modified' | 'deleted' | 'renamed' | 'copied' | 'type';

export interface Change {
  readonly kind: ChangeKind;
  /** As git has it; other bytes than UTF-8 are replaced. */
  readonly path: string;
  /** Of a renamed or copied file. */
  readonly from?: string;
  /** File modes in octal, such as 100644, 100755, 120000 (link), 160000 (submodule); 000000: there is none. */
  readonly modes: readonly [before: string, after: string];
  /** Lines; undefined for binary files. */
  readonly added: number | undefined;
  readonly removed: number | undefined;
}

const kinds: Readonly<Record<string, ChangeKind>> = {
  A: 'added',
  M: 'modified',
  D: 'deleted',
  R: 'renamed',
  C: 'copied',
  T: 'type',
};

/** `output` of `git diff-tree -r -z --raw --numstat`. Throws if it is cut off. */
export function parseChanges(output: string): readonly Change[] {
  const fields = output.split('\0');
  if (fields.pop() !== '') throw new Error('git diff-tree ended within a line');
  const changes: Change[] = [];
  let at = 0;
  const next = () => {
    const field = fields[at];
    at += 1;
    if (field === undefined) throw new Error('git diff-tree ended within an entry');
    return field;
  };
  while (fields[at]?.startsWith(':')) {
    const [before = '', after = '', , , status = ''] = next().slice(1).split(' ');
    const kind = kinds[status.charAt(0)];
    if (!kind) throw new Error(`git diff-tree wrote an unknown status: ${status}`);
    const first = next();
    const isPair = kind === 'renamed' || kind === 'copied';
    changes.push({
      kind,
      ...(isPair ? { path: next(), from: first } : { path: first }),
      modes: [before, after],
      added: undefined,
      removed: undefined,
    });
  }
  const counts = new Map<string, readonly [number, number] | undefined>();
  while (at < fields.length) {
    const [added = '', removed = '', path = ''] = splitAtTabs(next());
    // A pair has an empty path, then both.
    if (path === '') next();
    const name = path === '' ? next() : path;
    counts.set(name, added === '-' ? undefined : [Number(added), Number(removed)]);
  }
  return changes.map((change) => {
    const [added, removed] = counts.get(change.path) ?? [];
    return { ...change, added, removed };
  });
}

/** The path may contain tabs. */
function splitAtTabs(text: string): readonly string[] {
  const first = text.indexOf('\t');
  const second = text.indexOf('\t', first + 1);
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

export interface ChangeCounts {
  readonly files: number;
  readonly added: number;
  readonly removed: number;
}

export function countChanges(changes: readonly Change[]): ChangeCounts {
  const sum = (of: (change: Change) => number | undefined) =>
    changes.reduce((total, change) => total + (of(change) ?? 0), 0);
  return {
    files: changes.length,
    added: sum(({ added }) => added),
    removed: sum(({ removed }) => removed),
  };
}
