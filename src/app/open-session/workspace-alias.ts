// Registers the alias of a workspace when a session starts in it.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { parseAlias } from '../../names.ts';
import {
  type Aliases,
  assertUsableAlias,
  prepareAliasLock,
  readAliases,
  registryFailure,
  withAlias,
  withoutWorkspace,
  writeAliases,
} from '../../session/record/aliases.ts';
import type { AppContext } from '../context.ts';
import type { MountedWorkspace } from '../workspace.ts';

/** The lock is only held for a read and a write. */
const lockMs = 10_000;

type RegistryUser = Pick<AppContext, 'user' | 'signal'>;

/** Throws `alias-invalid` if it is malformed, looks like a container, or belongs to another workspace. */
export async function registerAlias(
  app: RegistryUser & Pick<AppContext, 'prefix'>,
  {
    at,
    resolved,
  }: { readonly at: Pick<MountedWorkspace, 'workspace'>; readonly resolved: ResolvedConfig },
): Promise<void> {
  const wanted = resolved.settings['container.alias'];
  if (!wanted) return;
  const alias = parseAlias(wanted);
  assertUsableAlias(alias, app.prefix);
  const entry = {
    workspace: at.workspace,
    ...(resolved.profile === undefined ? {} : { profile: resolved.profile }),
  };
  await changeRegistry(app, (aliases) => withAlias(aliases, alias, entry));
}

/** Removes the aliases of a workspace that is gone. */
export function forgetAlias(app: RegistryUser, workspace: string): Promise<void> {
  return changeRegistry(app, (aliases) => withoutWorkspace(aliases, workspace));
}

/** `change` returns undefined if nothing is to be changed. */
async function changeRegistry(
  app: RegistryUser,
  change: (aliases: Aliases) => Aliases | undefined,
): Promise<void> {
  const { home, uid, gid } = app.user;
  const changed = () => change(readAliases(home, hostFiles));
  // Loading libc for the lock takes a moment, and nearly always the alias is already registered.
  if (!changed()) return;
  const owner = { uid, gid };
  const { loadLibc } = await import('../../host/linux/load-libc.ts');
  const { withLock: whileLocked } = await import('../../host/process/process-lock.ts');
  const path = prepareAliasLock(home, owner, hostFiles);
  const limit = AbortSignal.any([app.signal, AbortSignal.timeout(lockMs)]);
  const locked = whileLocked(await loadLibc(), path, limit, () => {
    const aliases = changed();
    if (aliases) writeAliases(home, aliases, owner, hostFiles);
  });
  const done = await locked.catch((error: unknown) => {
    throw registryFailure(error, hostFiles);
  });
  app.signal.throwIfAborted();
  if (!done)
    throw new CoiError('timeout', `another coi has locked ${path} for ${lockMs / 1000} s`, {
      hint: 'Check for a coi that hangs, then try again.',
    });
}
