// Images and storage pools that a project's configuration refers to. The file is neither trusted nor applied: an agent may
// have written it, and it may be invalid. If it cannot be parsed, every word in it counts as a name.
import { parse } from 'smol-toml';
import type { Directory } from '../host/fs/directory.ts';
import type { HostFiles } from '../host/fs/host-files.ts';
import { anyName } from './keys/forms.ts';
import { isTable } from './keys/values.ts';
import { configMaxBytes } from './read.ts';

export interface ReferencedNames {
  readonly images: readonly string[];
  readonly pools: readonly string[];
  /** False if something could not be read. */
  readonly complete: boolean;
}

const profilesMax = 100;
const nothing = { images: [], pools: [] };

/** Names in the project's file and its profiles; none if the directory is gone. */
export function referencedNames(workspace: string, files: HostFiles): ReferencedNames {
  try {
    using top = files.open(workspace);
    using own = top?.entry('.coi') ? top.openDirectory('.coi') : undefined;
    if (!own) return { ...nothing, complete: true };
    const { paths, complete } = configFiles(own);
    const texts = paths.flatMap((path) => own.read(path, { maxBytes: configMaxBytes })?.text ?? []);
    const names = texts.map(namesInToml);
    return {
      images: names.flatMap(({ images }) => images),
      pools: names.flatMap(({ pools }) => pools),
      complete,
    };
  } catch (error) {
    if (files.asFileError(error)) return { ...nothing, complete: false };
    throw error;
  }
}

function configFiles(own: Directory): {
  readonly paths: readonly string[];
  readonly complete: boolean;
} {
  using profiles = own.entry('profiles') ? own.openDirectory('profiles') : undefined;
  const paths = ['config.toml'];
  for (const { name, kind } of profiles?.entries() ?? []) {
    // Other names are not profiles.
    if (kind !== 'directory' || !anyName.test(name)) continue;
    if (paths.length > profilesMax) return { paths, complete: false };
    paths.push(`profiles/${name}/config.toml`);
  }
  return { paths, complete: true };
}

/** The session image, the base image of a build, and the storage pool. */
export function namesInToml(text: string): Pick<ReferencedNames, 'images' | 'pools'> {
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
    // At most 1 MiB.
    const words = [...new Set(text.match(/[A-Za-z0-9][A-Za-z0-9._:/-]*/g))];
    return { images: words, pools: words };
  }
}
