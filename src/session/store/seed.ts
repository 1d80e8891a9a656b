// Copies one file of the user's home into a session's store.
import type { Directory, HostFiles, Owner } from '../../host/fs/host-files.ts';
import { parseJsonObject, pickSettings } from '../../tools/settings.ts';
import type { ContainerFacts } from '../../tools/shell-paths.ts';
import type { Seed } from '../../tools/tool.ts';

const seedMaxBytes = 16 * 2 ** 20;

export interface SeedContext {
  readonly session: Directory;
  readonly files: HostFiles;
  readonly home: string;
  readonly owner: Owner;
  readonly resume: boolean;
  /** Facts to adapt settings that name programs. */
  readonly inside: ContainerFacts;
  /** Collects entries left out of settings. */
  readonly leftOut: Omissions;
  /** Collects one sentence per file that could not be copied. */
  readonly warnings: string[];
}

export interface Omissions {
  readonly programs: string[];
  readonly others: string[];
}

const namedMax = 4;

/** One sentence for all omissions; undefined if there are none. */
export function omissionsText(title: string, { programs, others }: Omissions): string | undefined {
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
 * Copies a file according to its kind: settings and instructions only into a new session, a login also later if the user's
 * is newer than the agent's. Returns whether the store has the file.
 */
export function copySeed(seed: Seed, planting: SeedContext): boolean {
  const { session, owner, resume } = planting;
  const stored = session.entry(seed.to);
  const has = stored?.kind === 'file' && stored.stat.size > 0;
  if (resume && seed.kind !== 'credential') return has;
  const source = sourceOf(seed, planting);
  // 2 ms, because setting a file's time may round down.
  if (!source || (has && stored.stat.mtimeMs + 2 >= source.modifiedMs)) return has;
  // Keeps the time of the user's file, so that a later write of the agent is newer.
  session.write(seed.to, source.bytes, {
    owner,
    durable: false,
    ...(seed.kind === 'credential' && { modifiedMs: source.modifiedMs }),
  });
  return true;
}

function sourceOf(
  seed: Seed,
  { files, home, warnings, inside, leftOut }: SeedContext,
): { bytes: Uint8Array; modifiedMs: number } | undefined {
  try {
    const content = files.readUserFile(home, seed.from, { maxBytes: seedMaxBytes });
    if (!content || !(seed.keys || seed.fit)) return content;
    const json = parseJsonObject(content.text);
    if (!json) {
      warnings.push(`${home}/${seed.from} is not a JSON object and was not copied`);
      return undefined;
    }
    if (seed.leftOut) {
      const names = Object.keys(Object(json[seed.leftOut.key]));
      if (names.length > 0) leftOut.others.push(`${seed.leftOut.title} (${listed(names)})`);
    }
    const picked = seed.keys ? pickSettings(json, seed.keys) : json;
    const fitted = seed.fit?.apply(picked, inside);
    leftOut.programs.push(...(fitted?.leftOut ?? []));
    return {
      bytes: Buffer.from(`${JSON.stringify(fitted?.settings ?? picked, null, 2)}\n`),
      modifiedMs: content.modifiedMs,
    };
  } catch (error) {
    const problem = files.asFileError(error);
    if (!problem) throw error;
    warnings.push(`${problem.message}, so it was not copied`);
    return undefined;
  }
}
