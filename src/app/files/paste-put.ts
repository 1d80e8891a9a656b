// Files for the agent to look at: put into its session, and named in its input.
import { posix } from 'node:path';
import { CoiError } from '../../errors.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { meant } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { dropDirectory, dropName, freeName } from '../../session/store/dropped-files.ts';
import type { AppContext } from '../context.ts';
import { inSession, tried, users } from '../terminal/tmux-commands.ts';
import type { Piece } from './paste-sources.ts';

/** Puts them into the session and types their paths; takes them away again where nothing may be typed. */
export async function put(
  app: AppContext,
  { name: container, instance }: Container,
  pieces: readonly Piece[],
): Promise<{ typed: boolean; paths: readonly string[] }> {
  const incus = await app.incus();
  const { signal } = app;
  const ref = refOf(instance);
  const has = await tried(app, container, 'has', '');
  const user = users.find(({ uid }) => uid === has?.uid) ?? users[0];
  const directory = dropDirectory(user.home);
  const owner = { uid: user.uid, gid: user.uid };
  const paths: string[] = [];
  try {
    await meant(incus, ref, { signal });
    const there = await incus.readFile(container, directory, { signal });
    if (there?.kind === 'file') there.content.destroy();
    if (there && there.kind !== 'directory')
      throw new CoiError('failed', `${directory} in ${container} is no directory`, {
        hint: 'Remove it there.',
      });
    if (!there) await incus.makeDirectory(container, directory, { ...owner, mode: 0o700, signal });
    const taken = new Set(there?.entries ?? []);
    for (const { name, bytes } of pieces) {
      const free = freeName(dropName(name), taken);
      taken.add(free);
      const path = posix.join(directory, free);
      await incus.writeFile(container, path, bytes, { ...owner, mode: 0o600, signal });
      paths.push(path);
    }
  } catch (error) {
    throw incusFailure(error, `putting files into ${container} failed`);
  }
  if (!has) {
    app.report.warn(
      `${container} has no tmux session, so nothing was typed: name the path yourself`,
    );
    return { typed: false, paths };
  }
  try {
    await inSession(app, container, 'paste', `${paths.join(' ')} `);
  } catch (error) {
    for (const path of paths) await incus.deleteFile(container, path, { signal });
    throw error;
  }
  return { typed: true, paths };
}
