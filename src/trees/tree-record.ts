// The record of an own tree, in tree.json beside it. Pure.
import { absoluteWorkspace, type WorkspacePath } from '../names.ts';
import type { ChangeCounts } from './changes.ts';

const recordVersion = 1;

/** A capture whose changes are in the user's branch, or staged there. */
export interface Landing {
  readonly capture: string;
  /** The user's commit; undefined if the changes were only staged. */
  readonly commit: string | undefined;
}

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
  /** Of the last capture, without what had landed by then. */
  readonly counts: ChangeCounts | undefined;
  readonly landing: Landing | undefined;
  /** Ignored files that were copied from the user's directory; captures never hold them. */
  readonly carried: readonly string[];
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
  const fields = table(value);
  if (fields?.['version'] !== recordVersion) return undefined;
  const [name, branch, base] = [
    word(fields['name']),
    word(fields['branch']),
    objectId(fields['base']),
  ];
  const repository = absoluteWorkspace(word(fields['repository']) ?? '');
  const created = new Date(word(fields['created']) ?? '');
  if (!name || !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name) || !branch || !base || !repository)
    return undefined;
  if (Number.isNaN(created.getTime())) return undefined;
  const carried = fields['carried'];
  return {
    name,
    branch,
    repository,
    base,
    from: word(fields['from']),
    created,
    capture: objectId(fields['capture']),
    counts: countsOf(fields['counts']),
    landing: landingOf(fields['landing']),
    carried: Array.isArray(carried) ? carried.flatMap((path: unknown) => word(path) ?? []) : [],
  };
}

function landingOf(value: unknown): Landing | undefined {
  const fields = table(value);
  const capture = objectId(fields?.['capture']);
  return capture === undefined ? undefined : { capture, commit: objectId(fields?.['commit']) };
}

function countsOf(value: unknown): ChangeCounts | undefined {
  const fields = table(value);
  const [files, added, removed] = [fields?.['files'], fields?.['added'], fields?.['removed']];
  return isCount(files) && isCount(added) && isCount(removed)
    ? { files, added, removed }
    : undefined;
}

function table(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A full object id; anything else could be an option or an expression for git. */
function objectId(value: unknown): string | undefined {
  return typeof value === 'string' && /^[0-9a-f]{40}$/.test(value) ? value : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
