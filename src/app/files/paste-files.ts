// Copies files into a session, and types their paths into the agent's input.
import { posix } from 'node:path';
import { CoiError } from '../../errors.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { getByRef } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { dropDirectory, dropName, freeName } from '../../session/store/dropped-files.ts';
import { readActivity } from '../attention/container-activity.ts';
import type { AppContext } from '../context.ts';
import { runInTmux, tmuxUsers, tryInTmux } from '../terminal/tmux-commands.ts';
import type { PastedFile } from './paste-sources.ts';

/** Copies the files and types their paths; deletes them again if nothing may be typed. */
export async function pasteFiles(
  app: AppContext,
  found: Container,
  pieces: readonly PastedFile[],
): Promise<{ typed: boolean; paths: readonly string[] }> {
  const { name: container, instance } = found;
  const incus = await app.incus();
  const { signal } = app;
  const ref = refOf(instance);
  const has = await tryInTmux(app, container, 'has', '');
  const user = tmuxUsers.find(({ uid }) => uid === has?.uid) ?? tmuxUsers[0];
  const directory = dropDirectory(user.home);
  const owner = { uid: user.uid, gid: user.uid };
  const paths: string[] = [];
  try {
    await getByRef(incus, ref, { signal });
    const existing = await incus.readFile(container, directory, { signal });
    if (existing?.kind === 'file') existing.content.destroy();
    if (existing && existing.kind !== 'directory')
      throw new CoiError('failed', `${directory} in ${container} is not a directory`, {
        hint: 'Remove it there.',
      });
    if (!existing)
      await incus.makeDirectory(container, directory, { ...owner, mode: 0o700, signal });
    const taken = new Set(existing?.entries ?? []);
    for (const { name, bytes } of pieces) {
      const free = freeName(dropName(name), taken);
      taken.add(free);
      const path = posix.join(directory, free);
      await incus.writeFile(container, path, bytes, { ...owner, mode: 0o600, signal });
      paths.push(path);
    }
  } catch (error) {
    throw incusFailure(error, `copying files into ${container} failed`);
  }
  if (!has) {
    app.report.warn(
      `${container} has no tmux session, so nothing was typed: type the path yourself`,
    );
    return { typed: false, paths };
  }
  try {
    const asks = readActivity(app, found).activity.kind === 'asks';
    await runInTmux(app, container, 'paste', `${paths.join(' ')} `, asks ? 'asks' : 'look');
  } catch (error) {
    for (const path of paths) await incus.deleteFile(container, path, { signal });
    throw error;
  }
  return { typed: true, paths };
}
