// The alias of a tree's sessions: `coi attach NAME` works from any directory.
import { basename } from 'node:path';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { parseAlias } from '../../names.ts';
import { assertUsableAlias, readAliases, withAlias } from '../../session/record/aliases.ts';
import type { AppContext } from '../context.ts';
import type { OwnTree } from './tree-store.ts';

/** The configuration with that alias instead of the project's, which belongs to its directory; none if both are taken. */
export function withTreeAlias(
  app: Pick<AppContext, 'user' | 'prefix'>,
  resolved: ResolvedConfig,
  { record, places }: OwnTree,
): ResolvedConfig {
  const name = record.name.replace(/[^A-Za-z0-9_-]/g, '-');
  const project = basename(record.repository).replace(/[^A-Za-z0-9_-]/g, '-');
  const aliases = readAliases(app.user.home, hostFiles);
  const usable = [name, `${project}-${name}`].find((candidate) => {
    try {
      const alias = parseAlias(candidate);
      assertUsableAlias(alias, app.prefix);
      withAlias(aliases, alias, { workspace: places.tree, profile: resolved.profile });
      return true;
    } catch (error) {
      if (error instanceof CoiError) return false;
      throw error;
    }
  });
  return { ...resolved, settings: { ...resolved.settings, 'container.alias': usable ?? '' } };
}
