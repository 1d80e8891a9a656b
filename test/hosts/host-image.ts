// Host images, kept in this machine's Incus between runs and rebuilt when the recipe changes.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireSettings, hostSources } from '../../src/image/sources.ts';
import type { Incus } from '../../src/incus/client.ts';
import { mustRun } from '../bed/command.ts';
import { type MakeRecipe, type Recipe, recipe } from './recipe.ts';

const buildLimitMs = 10 * 60_000;

/** Alias of the image in which coi is set up. */
export const hostImage = (incus: Incus) => cachedImage(incus, 'coi-host-debian13-', recipe);

/** Alias for the recipe's result on this machine. Images of older recipes are deleted. */
export async function cachedImage(
  incus: Incus,
  aliasStem: string,
  make: MakeRecipe,
): Promise<string> {
  const wanted = await recipeHere(make);
  const alias = `${aliasStem}${wanted.hash}`;
  if ((await incus.imageAlias(alias)) === undefined) await build(wanted, alias);
  const { stdout } = await mustRun(['incus', 'query', '/1.0/images/aliases']);
  for (const path of JSON.parse(stdout) as string[]) {
    const name = path.split('/').at(-1) ?? '';
    if (name.startsWith(aliasStem) && name !== alias)
      await mustRun(['incus', 'image', 'delete', name]);
  }
  return alias;
}

async function recipeHere(make: MakeRecipe): Promise<Recipe> {
  const directory = '/etc/apt/sources.list.d';
  const names = (await readdir(directory)).filter((name) => /\.(?:list|sources)$/.test(name));
  const texts = await Promise.all(
    names.sort().map(async (name) => {
      const text = await readFile(join(directory, name), 'utf8');
      return hostSources(text, name.endsWith('.sources') ? 'deb822' : 'one-line');
    }),
  );
  const { stdout: main } = await mustRun(['sh', '-c', 'cat /etc/apt/sources.list || true']);
  const { stdout: settings } = await mustRun(['apt-config', 'dump']);
  return make(
    await readFile('/etc/os-release', 'utf8'),
    [...hostSources(main, 'one-line'), ...texts.flat()],
    acquireSettings(settings),
  );
}

async function build({ argv, sources, hash }: Recipe, alias: string): Promise<void> {
  // Not below /tmp, which may be in memory.
  const directory = await mkdtemp('/var/tmp/coit-host-image-');
  try {
    const [root, list, metadata] = ['root.tar', 'host.sources', 'metadata.yaml'].map((name) =>
      join(directory, name),
    ) as [string, string, string];
    await writeFile(list, sources);
    await mustRun(['mmdebstrap', ...argv, root, list], { limitMs: buildLimitMs });
    const architecture = (await mustRun(['uname', '-m'])).stdout.trim();
    await writeFile(
      metadata,
      `architecture: ${architecture}\ncreation_date: 1\nproperties:\n  description: A host for tests of coi, recipe ${hash}\n`,
    );
    const packed = join(directory, 'metadata.tar');
    await mustRun(['tar', '-C', directory, '-cf', packed, 'metadata.yaml']);
    await mustRun(['incus', 'image', 'import', packed, root, '--alias', alias], {
      limitMs: buildLimitMs,
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
