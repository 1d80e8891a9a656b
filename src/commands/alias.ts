// The alias of a workspace is registered when a session starts in it.
import type { App } from '../app.ts';
import { hostFiles } from '../host/files.ts';
import { parseAlias } from '../names.ts';
import { readAliases, usableAlias, withAlias, writeAliases } from '../session/aliases.ts';
import type { Meant } from './meant.ts';

/** Throws `alias-invalid` if it is malformed, looks like a container, or belongs to another workspace. */
export function registerAlias(app: App, { at, resolved }: Meant): void {
  const wanted = resolved.settings['container.alias'];
  if (!wanted) return;
  const alias = parseAlias(wanted);
  usableAlias(alias, app.prefix);
  const { home, uid, gid } = app.user;
  const entry = {
    workspace: at.workspace,
    ...(resolved.profile === undefined ? {} : { profile: resolved.profile }),
  };
  const aliases = withAlias(readAliases(home, hostFiles), alias, entry);
  if (aliases) writeAliases(home, aliases, { uid, gid }, hostFiles);
}
