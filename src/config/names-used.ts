// Which images and storage pools the configuration of some project names. Nothing of it is trusted or put in force: it may be an agent's, and
// may not even be valid. So what cannot be understood counts as naming every word in it.
import { parse } from 'smol-toml';
import type { Directory } from '../host/fs/directory.ts';
import type { HostFiles } from '../host/fs/host-files.ts';
import { anyName } from './keys/forms.ts';
import { isTable } from './keys/values.ts';
import { configMaxBytes } from './read.ts';

export interface UsedNames {
  readonly images: readonly string[];
  readonly pools: readonly string[];
  /** There is something that cannot be read. */
  readonly complete: boolean;
}

const profilesMax = 100;
const nothing = { images: [], pools: [] };

/** Of the project's file and its profiles; a directory that is gone names nothing. */
export function namesUsedIn(workspace: string, files: HostFiles): UsedNames {
  try {
    using top = files.open(workspace);
    using own = top?.entry('.coi') ? top.directory('.coi') : undefined;
    if (!own) return { ...nothing, complete: true };
    const { paths, complete } = configsIn(own);
    const texts = paths.flatMap((path) => own.read(path, { maxBytes: configMaxBytes })?.text ?? []);
    const names = texts.map(namesIn);
    return {
      images: names.flatMap(({ images }) => images),
      pools: names.flatMap(({ pools }) => pools),
      complete,
    };
  } catch (error) {
    if (files.problem(error)) return { ...nothing, complete: false };
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

/** The image of sessions, and that which a build starts from; the pool of their containers. */
export function namesIn(text: string): Pick<UsedNames, 'images' | 'pools'> {
  try {
    const { container } = parse(text);
    if (!isTable(container)) return nothing;
    const build = isTable(container['build']) ? container['build'] : {};
    const texts = (...values: unknown[]) => values.filter((value) => typeof value === 'string');
    return {
      images: texts(container['image'], build['base']),
      pools: texts(container['storage_pool']),
    };
  } catch {
    // A megabyte at most.
    const words = [...new Set(text.match(/[A-Za-z0-9][A-Za-z0-9._:/-]*/g))];
    return { images: words, pools: words };
  }
}
