// JSON Schemas of the commands for own trees. Pure.
import { boolean, integer, list, object, type Shape, string } from './json-schema.ts';

const orNull = (type: string): Shape => ({ type: [type, 'null'] });
const leftBehind = list(object({ path: string, why: string }));
const counts = { files: integer, added: integer, removed: integer };

/** In the rows of `list`. */
export const treeShape = object({
  name: string,
  branch: string,
  repository: string,
  changes: { ...object(counts), type: ['object', 'null'] },
});

export const treeShapes: Readonly<Record<string, Shape>> = {
  trees: list(
    object({
      name: string,
      branch: string,
      repository: string,
      path: string,
      base: string,
      from: orNull('string'),
      created_at: string,
      capture: orNull('string'),
      changes: { ...object(counts), type: ['object', 'null'] },
      merged: orNull('string'),
      containers: list(string),
    }),
  ),
  diff: object({
    tree: string,
    branch: string,
    repository: string,
    base: string,
    from: string,
    capture: string,
    ...counts,
    changes: list(
      object({
        status: { enum: ['added', 'modified', 'deleted', 'renamed', 'copied', 'type'] },
        path: string,
        'old_path?': string,
        modes: list(string),
        binary: boolean,
        added: integer,
        removed: integer,
        mark: orNull('string'),
      }),
    ),
    left_behind: leftBehind,
  }),
  merge: object({
    tree: string,
    branch: orNull('string'),
    commit: orNull('string'),
    ...counts,
    paths: list(string),
    left_behind: leftBehind,
  }),
  discard: object({ tree: string, discarded: boolean, capture: orNull('string') }),
};
