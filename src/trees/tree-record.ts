// The record of an own tree, in tree.json beside it. Pure.
import * as z from 'zod/mini';
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

/** A full object id; anything else could be an option or an expression for git. */
const objectId = z.string().check(z.regex(/^[0-9a-f]{40}$/));
const word = z.string().check(z.minLength(1));
const count = z.int().check(z.nonnegative());

const recordShape = z.looseObject({
  version: z.literal(recordVersion),
  name: z.string().check(z.regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/)),
  branch: word,
  repository: z.string().check(z.startsWith('/')),
  base: objectId,
  from: z.optional(word),
  created: z.string(),
  capture: z.optional(objectId),
  counts: z.optional(z.looseObject({ files: count, added: count, removed: count })),
  landing: z.optional(z.looseObject({ capture: objectId, commit: z.optional(objectId) })),
  carried: z.optional(z.array(word)),
});

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
  const parsed = recordShape.safeParse(value);
  if (!parsed.success) return undefined;
  const { name, branch, base, from, capture, counts, landing, carried = [] } = parsed.data;
  const repository = absoluteWorkspace(parsed.data.repository);
  const created = new Date(parsed.data.created);
  if (!repository || Number.isNaN(created.getTime())) return undefined;
  return {
    name,
    branch,
    repository,
    base,
    from,
    created,
    capture,
    counts: counts && { files: counts.files, added: counts.added, removed: counts.removed },
    landing: landing && { capture: landing.capture, commit: landing.commit },
    carried,
  };
}
