// The record of an own tree, in tree.json beside it. Pure.
import { absoluteWorkspace, type WorkspacePath } from '../names.ts';

const recordVersion = 1;

export interface TreeRecord {
  /** Also the name of its directory. */
  readonly name: string;
  readonly branch: string;
  /** Top directory of the user's working tree that it was made from. */
  readonly repository: WorkspacePath;
  /** The commit that its changes are compared with: object id. */
  readonly base: string;
  /** The branch that the user had then; undefined if HEAD was detached. */
  readonly from: string | undefined;
  readonly created: Date;
  /** The last capture: object id of its commit. */
  readonly capture: string | undefined;
  /** The capture that was merged or applied last. */
  readonly merged: string | undefined;
}

export function treeRecordText(record: TreeRecord): string {
  const value = { version: recordVersion, ...record, created: record.created.toISOString() };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Undefined if the text is not such a record, as after a newer version of coi. */
export function parseTreeRecord(text: string): TreeRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  if (fields.get('version') !== recordVersion) return undefined;
  const word = (key: string) => {
    const given = fields.get(key);
    return typeof given === 'string' && given !== '' ? given : undefined;
  };
  const [name, branch, base] = [word('name'), word('branch'), objectId(word('base'))];
  const repository = absoluteWorkspace(word('repository') ?? '');
  const created = new Date(word('created') ?? '');
  if (!name || !branch || !base || !repository || Number.isNaN(created.getTime())) return undefined;
  return {
    name,
    branch,
    repository,
    base,
    from: word('from'),
    created,
    capture: objectId(word('capture')),
    merged: objectId(word('merged')),
  };
}

/** A full object id; anything else could be an option or an expression for git. */
export function objectId(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{40}$/.test(text) ? text : undefined;
}
