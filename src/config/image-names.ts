// Which images the configuration of some project names. Nothing of it is trusted or put in force: it may be an agent's, and
// may not even be valid. So what cannot be understood counts as naming every word in it.
import { parse } from 'smol-toml';
import type { Directory, HostFiles } from '../host/files.ts';
import { anyName } from './forms.ts';
import { configMaxBytes } from './read.ts';
import { isTable } from './values.ts';

export interface ImageNames {
  readonly images: readonly string[];
  /** There is something that cannot be read. */
  readonly complete: boolean;
}

const profilesMax = 100;

/** Of the project's file and its profiles; a directory that is gone names nothing. */
export function imageNamesIn(workspace: string, files: HostFiles): ImageNames {
  try {
    using top = files.open(workspace);
    using own = top?.entry('.coi') ? top.directory('.coi') : undefined;
    if (!own) return { images: [], complete: true };
    const { paths, complete } = configsIn(own);
    const texts = paths.flatMap((path) => own.read(path, { maxBytes: configMaxBytes })?.text ?? []);
    return { images: [...new Set(texts.flatMap(imageNames))], complete };
  } catch (error) {
    if (files.problem(error)) return { images: [], complete: false };
    throw error;
  }
}

function configsIn(own: Directory): {
  readonly paths: readonly string[];
  readonly complete: boolean;
} {
  using profiles = own.entry('profiles') ? own.directory('profiles') : undefined;
  const paths = ['config.toml'];
  for (const { name, kind } of profiles?.entries() ?? []) {
    // What has another name can be no profile.
    if (kind !== 'directory' || !anyName.test(name)) continue;
    if (paths.length > profilesMax) return { paths, complete: false };
    paths.push(`profiles/${name}/config.toml`);
  }
  return { paths, complete: true };
}

/** The image of sessions, and that which a build starts from. */
export function imageNames(text: string): string[] {
  try {
    const { container } = parse(text);
    if (!isTable(container)) return [];
    const build = isTable(container['build']) ? container['build'] : {};
    return [container['image'], build['base']].filter((name) => typeof name === 'string');
  } catch {
    // A megabyte at most.
    return [...new Set(text.match(/[A-Za-z0-9][A-Za-z0-9._:/-]*/g))];
  }
}
