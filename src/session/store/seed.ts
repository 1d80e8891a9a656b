// One file of the user's home goes into a session's store.
import type { Directory, HostFiles, Owner } from '../../host/fs/host-files.ts';
import { jsonObject, pickedSettings } from '../../tools/settings.ts';
import type { Seed } from '../../tools/shape.ts';
import type { InsideFacts } from '../../tools/shell-paths.ts';

const seedMaxBytes = 16 * 2 ** 20;

export interface Planting {
  readonly session: Directory;
  readonly files: HostFiles;
  readonly home: string;
  readonly owner: Owner;
  readonly resume: boolean;
  /** What settings that name programs are fitted to. */
  readonly inside: InsideFacts;
  /** Gets what was left out of settings. */
  readonly leftOut: LeftOut;
  /** Gets a sentence for what could not be taken over. */
  readonly warnings: string[];
}

export interface LeftOut {
  readonly programs: string[];
  readonly others: string[];
}

const namedMax = 4;

/** One sentence for all of it; undefined where nothing was left out. */
export function leftOutText(title: string, { programs, others }: LeftOut): string | undefined {
  const parts = [
    ...(programs.length > 0 ? [`${listed(programs)}: not in the session`] : []),
    ...others,
  ];
  return parts.length === 0
    ? undefined
    : `Left out of ${title}'s settings: ${parts.join('; ')} (see [tool] carry)`;
}

function listed(items: readonly string[]): string {
  const more = items.length - namedMax;
  return `${items.slice(0, namedMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/**
 * Takes over a file as its kind says: settings and instructions only into a new session, a login also later if the
 * user's is newer than the one that the agent has. True if the store has the file now.
 */
export function plantSeed(seed: Seed, planting: Planting): boolean {
  const { session, owner, resume } = planting;
  const stored = session.entry(seed.to);
  const has = stored?.kind === 'file' && stored.stat.size > 0;
  if (resume && seed.kind !== 'credential') return has;
  const source = sourceOf(seed, planting);
  // 2 ms, because setting a file's time may round it down.
  if (!source || (has && stored.stat.mtimeMs + 2 >= source.modifiedMs)) return has;
  // The time of the user's file, so that what the agent writes later is the newer one.
  session.write(seed.to, source.bytes, {
    owner,
    durable: false,
    ...(seed.kind === 'credential' && { modifiedMs: source.modifiedMs }),
  });
  return true;
}

function sourceOf(
  seed: Seed,
  { files, home, warnings, inside, leftOut }: Planting,
): { bytes: Uint8Array; modifiedMs: number } | undefined {
  try {
    const content = files.readUserFile(home, seed.from, { maxBytes: seedMaxBytes });
    if (!content || !(seed.keys || seed.fit)) return content;
    const json = jsonObject(content.text);
    if (!json) {
      warnings.push(`${home}/${seed.from} is no JSON object and was not taken over`);
      return undefined;
    }
    if (seed.leftOut) {
      const names = Object.keys(Object(json[seed.leftOut.key]));
      if (names.length > 0) leftOut.others.push(`${seed.leftOut.title} (${listed(names)})`);
    }
    const picked = seed.keys ? pickedSettings(json, seed.keys) : json;
    const fitted = seed.fit?.fitted(picked, inside);
    leftOut.programs.push(...(fitted?.leftOut ?? []));
    return {
      bytes: Buffer.from(`${JSON.stringify(fitted?.settings ?? picked, null, 2)}\n`),
      modifiedMs: content.modifiedMs,
    };
  } catch (error) {
    const problem = files.problem(error);
    if (!problem) throw error;
    warnings.push(`${problem.message}, so it was not taken over`);
    return undefined;
  }
}
