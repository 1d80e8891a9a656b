// Selects a session for the login commands, and reads its logins.
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { readStoreLogins } from '../../logins/copies.ts';
import { loginFiles } from '../../logins/formats/list.ts';
import type { Login, LoginFile } from '../../logins/formats/login.ts';
import { isUuid, quoted } from '../../names.ts';
import type { AppContext } from '../context.ts';
import type { SessionTarget } from '../requests.ts';
import { oneContainer } from '../targets/workspace-container.ts';

export function readLogins(app: AppContext, file: LoginFile, session: string): Login[] {
  using store = hostFiles.open(`${app.user.home}/.coi/sessions-${file.tool}/${session}`);
  return store ? [...readStoreLogins(file, store, hostFiles).logins.values()] : [];
}

export async function findLoginSession(
  app: AppContext,
  target: SessionTarget,
  word: string,
): Promise<{ session: string; file: LoginFile }> {
  const stored = /^[0-9a-f]{4,8}(?:-[0-9a-f-]*)?$/.test(word) ? findStores(app, word) : [];
  if (stored.length > 1) throw new CoiError('usage', `${quoted(word)} matches several sessions`);
  if (stored[0]) return stored[0];
  const { session: record, name } = await oneContainer(app, target, word);
  const file = loginFiles.find(({ tool }) => tool === record?.tool);
  if (!record || !file)
    throw new CoiError('session-not-found', `${name} has no login that coi knows`);
  return { session: record.session, file };
}

function findStores(app: AppContext, beginning: string): { session: string; file: LoginFile }[] {
  return loginFiles.flatMap((file) => {
    using stores = hostFiles.open(`${app.user.home}/.coi/sessions-${file.tool}`);
    return [...(stores?.entries() ?? [])]
      .filter(({ name }) => isUuid(name) && name.startsWith(beginning))
      .map(({ name }) => ({ session: name, file }));
  });
}
