// Does one step of a removal. Each may be run again after it was interrupted.
import { setTimeout as delay } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import { unitPath } from '../checks/coi.ts';
import { adminGroup, hasSystemd } from '../checks/incus.ts';
import { aptEnv, aptLimitMs, aptOptions } from '../checks/packages.ts';
import { command } from '../command.ts';
import {
  type IdLine,
  idLinesText,
  isSameLine,
  ownIdsName,
  parseIdLines,
  withoutLine,
} from '../id-lines.ts';
import { noteGone, stateDir } from '../made.ts';
import { type RemoveGround, runDir } from './facts.ts';
import type { Act } from './plan.ts';
import { unfinished, unfinishedHint, unfinishedText } from './unfinished.ts';

/** For coid to give back what ended sessions had. */
const notesLimitMs = 20_000;
const notesLookMs = 100;
/** After that it is started anew, since it looks again at what it could not finish only after a while, at last once a day. */
const restartMs = 4000;
const incusLimitMs = 120_000;

export async function undo(
  ground: RemoveGround,
  act: Act,
  before: string | undefined,
): Promise<void> {
  const { machine, installer } = ground;
  switch (act.kind) {
    case 'containers':
      for (const container of act.containers) await ground.endContainer(container);
      return;
    case 'coid':
      return endCoid(ground, act);
    case 'tables':
      // coid takes its own away when it ends without sessions, and what is not there cannot be deleted.
      for (const table of act.tables)
        await command(ground, ['nft', `add table ${table}; delete table ${table}`]);
      return;
    case 'openings':
      for (const argv of act.commands) await command(ground, argv);
      return;
    case 'images':
    case 'profile':
    case 'bridge':
    case 'pool':
      return undoInIncus(ground, act);
    case 'ids':
      for (const { path, line } of act.lines) {
        const text = (await machine.readText(path)) ?? '';
        await machine.writeText(path, withoutLine(text, line), 0o644);
      }
      await forgetOwnIds(ground, act.lines);
      return noteGone(machine, { idLines: act.lines });
    case 'files':
      await command(ground, ['rm', '-f', '--', ...act.paths]);
      return;
    case 'members':
      for (const name of act.names)
        await command(ground, ['gpasswd', '--delete', name, adminGroup]);
      return noteGone(machine, { members: act.names });
    case 'packages':
      await command(ground, ['apt-get', '-q', '-y', ...aptOptions, 'remove', ...act.names], {
        env: aptEnv,
        timeoutMs: aptLimitMs,
      });
      return noteGone(machine, { packages: act.names });
    case 'group':
      await command(ground, ['groupdel', adminGroup]);
      return noteGone(machine, { group: true });
    case 'data':
      for (const path of act.paths) await ground.removeData(act.home, path);
      return;
    case 'program':
      await installer?.remove(before);
      return noteGone(machine, { link: true });
    case 'directories':
      return removeDirectories(ground, act.paths);
  }
}

async function forgetOwnIds({ machine }: RemoveGround, gone: readonly IdLine[]): Promise<void> {
  const path = `${stateDir}/${ownIdsName}`;
  const noted = parseIdLines(await machine.readText(path));
  const left = noted.filter((one) => !gone.some((other) => isSameLine(one, other)));
  if (left.length < noted.length) await machine.writeText(path, idLinesText(left), 0o600);
}

async function endCoid(
  ground: RemoveGround,
  { unit, all, force }: Act & { kind: 'coid' },
): Promise<void> {
  // Once it has ended, nobody gives back the files of a workspace.
  if (all) await notesGone(ground, force);
  await ground.stopCoid();
  if (!unit) return;
  const systemd = await hasSystemd(ground.machine);
  if (systemd) await command(ground, ['systemctl', 'disable', 'coid.service']);
  await command(ground, ['rm', '-f', '--', unitPath]);
  if (systemd) await command(ground, ['systemctl', 'daemon-reload']);
}

async function notesGone(ground: RemoveGround, force: boolean): Promise<void> {
  const startedMs = performance.now();
  let restarted = false;
  for (;;) {
    const left = await unfinished(ground.machine);
    if (left.length === 0) return;
    const waitedMs = performance.now() - startedMs;
    if (waitedMs > notesLimitMs) {
      const texts = unfinishedText(left);
      if (force) return ground.givenUp(texts);
      throw new CoiError(
        'setup-failed',
        `coid could not finish its work in these workspaces of ended sessions: ${texts.join(', ')}`,
        { hint: unfinishedHint(left) },
      );
    }
    if (!restarted && waitedMs > restartMs) {
      restarted = true;
      await ground.restartCoid();
    }
    await delay(notesLookMs, undefined, { signal: ground.signal });
  }
}

async function undoInIncus(
  ground: RemoveGround,
  act: Act & { kind: 'images' | 'profile' | 'bridge' | 'pool' },
): Promise<void> {
  const incus = await ground.incus();
  const options = { signal: ground.signal, timeoutMs: incusLimitMs };
  switch (act.kind) {
    case 'images':
      for (const fingerprint of act.fingerprints) {
        const deletion = await incus.deleteImage(fingerprint, options);
        await deletion.wait(options);
      }
      return;
    case 'profile': {
      const profile = await incus.profile('default', options);
      if (!profile) return;
      const { description, config, devices } = profile;
      const left = Object.entries(devices).filter(([name]) => !act.devices.includes(name));
      const put = { description, config, devices: Object.fromEntries(left) };
      await incus.query('PUT', '/1.0/profiles/default', put, options);
      return;
    }
    case 'bridge':
      await incus.query('DELETE', `/1.0/networks/${act.name}`, undefined, options);
      return;
    case 'pool':
      await incus.query('DELETE', `/1.0/storage-pools/${act.name}`, undefined, options);
      return;
  }
}

async function removeDirectories(ground: RemoveGround, paths: readonly string[]): Promise<void> {
  const { machine } = ground;
  if (paths.includes(runDir))
    for (const point of (await machine.mountPoints()).toReversed())
      if (point.startsWith(`${runDir}/`)) await command(ground, ['umount', point]);
  const points = await machine.mountPoints();
  const doomed = paths.map(async (path) =>
    // What is a mount itself stays as an empty one.
    points.includes(path) ? (await machine.names(path)).map((name) => `${path}/${name}`) : [path],
  );
  // A mount that is left below must not be emptied.
  const remove = ['rm', '-rf', '--one-file-system', '--'];
  await command(ground, [...remove, ...(await Promise.all(doomed)).flat()]);
}
