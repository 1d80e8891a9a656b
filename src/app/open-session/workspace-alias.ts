// The alias of a workspace is registered when a session starts in it.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { parseAlias } from '../../names.ts';
import {
  aliasLock,
  readAliases,
  registryFailure,
  usableAlias,
  withAlias,
  writeAliases,
} from '../../session/record/aliases.ts';
import type { AppContext } from '../context.ts';
import type { Place } from '../workspace.ts';

/** Whoever has the lock needs it for a read and a write. */
const lockMs = 10_000;

/** Throws `alias-invalid` if it is malformed, looks like a container, or belongs to another workspace. */
export async function registerAlias(
  app: Pick<AppContext, 'user' | 'prefix' | 'signal'>,
  { at, resolved }: { readonly at: Pick<Place, 'workspace'>; readonly resolved: ResolvedConfig },
): Promise<void> {
  const wanted = resolved.settings['container.alias'];
  if (!wanted) return;
  const alias = parseAlias(wanted);
  usableAlias(alias, app.prefix);
  const { home, uid, gid } = app.user;
  const entry = {
    workspace: at.workspace,
    ...(resolved.profile === undefined ? {} : { profile: resolved.profile }),
  };
  const changed = () => withAlias(readAliases(home, hostFiles), alias, entry);
  // The library that locks takes a moment to load; nearly always the alias is there already.
  if (!changed()) return;
  const owner = { uid, gid };
  const { loadLibc } = await import('../../host/linux/load-libc.ts');
  const { whileLocked } = await import('../../host/process/process-lock.ts');
  const path = aliasLock(home, owner, hostFiles);
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
    throw new CoiError('timeout', `another coi has been at ${path} for ${lockMs / 1000} s`, {
      hint: 'See whether one hangs, and try again.',
    });
}
