// The changes of a tree as text and JSON. Pure.

import { pluralize } from '../../../pluralize.ts';
import { oneLine } from '../../../printable.ts';
import type { LeftBehind } from '../../../trees/captured-files.ts';
import { changeMark } from '../../../trees/change-marks.ts';
import { type Change, type ChangeCounts, countChanges } from '../../../trees/changes.ts';
import type { TreeRecord } from '../../../trees/tree-record.ts';
import type { Style } from '../style.ts';
import { displayWidth } from '../text-width.ts';

const letters: Readonly<Record<Change['kind'], string>> = {
  added: 'A',
  modified: 'M',
  deleted: 'D',
  renamed: 'R',
  copied: 'C',
  type: 'T',
};

/** A line for each file, marks of what the host would obey, the sum, and what no capture holds. */
export function changesText(
  changes: readonly Change[],
  leftBehind: readonly LeftBehind[],
  style: Style,
): string[] {
  const names = changes.map(nameOf);
  const width = Math.max(0, ...names.map(displayWidth));
  const lines = changes.map((change, at) => {
    const name = names[at] ?? '';
    const mark = changeMark(change);
    const padded = name + ' '.repeat(width - displayWidth(name));
    const line = `${letters[change.kind]}  ${padded}  ${linesOf(change, style)}`.trimEnd();
    return mark === undefined ? line : `${line}  ${style.yellow(`! ${mark}`)}`;
  });
  const left = leftBehind.map(({ path, why }) =>
    style.yellow(`Not included: ${oneLine(path)} (${why})`),
  );
  return [...lines, countsText(countChanges(changes)), ...left];
}

export function countsText({ files, added, removed }: ChangeCounts): string {
  return files === 0 ? 'No changes' : `${pluralize(files, 'file')} changed, +${added} -${removed}`;
}

/** `+12 -3 (2 files)`; undefined before the first capture. */
export function sizeText(counts: ChangeCounts | undefined): string | undefined {
  if (!counts) return undefined;
  const { files, added, removed } = counts;
  return files === 0 ? 'no changes' : `+${added} -${removed} (${pluralize(files, 'file')})`;
}

function nameOf({ path, from }: Change): string {
  return from === undefined ? oneLine(path) : `${oneLine(from)} -> ${oneLine(path)}`;
}

function linesOf({ added, removed, modes }: Change, style: Style): string {
  if (added === undefined) return 'binary';
  const [before, after] = modes;
  const mode =
    before !== after && before !== '000000' && after !== '000000'
      ? ` (mode ${before} -> ${after})`
      : '';
  return `${style.green(`+${added}`)} ${style.red(`-${removed}`)}${mode}`;
}

export function changesJson(
  record: TreeRecord,
  { from, capture }: { readonly from: string; readonly capture: string },
  changes: readonly Change[],
  leftBehind: readonly LeftBehind[],
): Record<string, unknown> {
  return {
    tree: record.name,
    branch: record.branch,
    repository: record.repository,
    base: record.base,
    from,
    capture,
    ...countChanges(changes),
    changes: changes.map((change) => ({
      status: change.kind,
      path: change.path,
      ...(change.from !== undefined && { old_path: change.from }),
      modes: change.modes,
      binary: change.added === undefined,
      added: change.added ?? 0,
      removed: change.removed ?? 0,
      mark: changeMark(change) ?? null,
    })),
    left_behind: leftBehind,
  };
}

/** A unified diff for a terminal: control characters are escaped by the caller. */
export function colouredDiff(text: string, style: Style): string {
  return text
    .split('\n')
    .map((line) => {
      if (
        /^(?:diff |index |--- |\+\+\+ |old mode|new mode|similarity|rename|new file|deleted file)/.test(
          line,
        )
      )
        return style.bold(line);
      if (line.startsWith('@@')) return style.cyan(line);
      if (line.startsWith('+')) return style.green(line);
      return line.startsWith('-') ? style.red(line) : line;
    })
    .join('\n');
}
