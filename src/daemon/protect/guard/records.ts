// Stores the guard records of all workspaces: <state dir>/protect/<device>-<inode>.json.
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { readState, stateFiles, writeState } from '../../state-file.ts';
import { type GuardRecord, guardRecordShape, keyOf, readRecord } from './record.ts';

/** Journal that renames several files atomically: its content wins over the files. */
const journalName = 'renumbered';

interface Journal {
  /** File names to remove. */
  readonly gone: readonly string[];
  readonly records: readonly GuardRecord[];
}

export class GuardRecords {
  readonly #directory: string;

  constructor(stateDir: string) {
    this.#directory = join(stateDir, 'protect');
  }

  /** Loads the records of an earlier coid. */
  load(): GuardRecord[] {
    this.#finish();
    return stateFiles(this.#directory).flatMap((name) => {
      const path = join(this.#directory, name);
      const record = readRecord(path);
      return record && nameOf(record) === name ? [record] : [];
    });
  }

  /**
   * Renames the files after device numbers changed at a boot; one may now have the old number of another. All files are
   * renamed, or none.
   */
  renumber(changes: readonly { readonly before: GuardRecord; readonly now: GuardRecord }[]): void {
    const changed = changes.filter(({ before, now }) => nameOf(before) !== nameOf(now));
    if (changed.length === 0) return;
    const names = new Set(changed.map(({ now }) => nameOf(now)));
    const gone = changed.map(({ before }) => nameOf(before)).filter((name) => !names.has(name));
    const journal: Journal = { gone, records: changed.map(({ now }) => now) };
    writeState(join(this.#directory, journalName), JSON.stringify(journal), { flush: true });
    this.#finish();
  }

  #finish(): void {
    const path = join(this.#directory, journalName);
    const journal = readJournal(path);
    if (!journal) return;
    for (const record of journal.records) this.write(record, JSON.stringify(record), true);
    for (const name of journal.gone) rmSync(join(this.#directory, name), { force: true });
    rmSync(path, { force: true });
  }

  write(record: GuardRecord, text: string, flush: boolean): void {
    writeState(this.#path(record), text, { flush });
  }

  /** When it was last written (milliseconds since 1970); 0 if it does not exist. */
  writtenMs(record: GuardRecord): number {
    return statSync(this.#path(record), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }

  remove(record: GuardRecord): void {
    rmSync(this.#path(record), { force: true });
  }

  #path(record: GuardRecord): string {
    return join(this.#directory, nameOf(record));
  }
}

function nameOf({ device, inode }: GuardRecord): string {
  return `${keyOf(device, inode)}.json`;
}

const journalShape = z.object({
  gone: z.array(z.string()),
  records: z.array(z.looseObject({})),
});

function readJournal(path: string): Journal | undefined {
  const found = readState(path, journalShape);
  if (!found) return undefined;
  const records = found.records.map((one) => guardRecordShape.safeParse(one));
  return {
    gone: found.gone,
    records: records.flatMap((one) => (one.success ? [one.data] : [])),
  };
}
