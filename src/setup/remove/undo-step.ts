// Performs one step of a removal. Each can be repeated after an interruption.
import { setTimeout as delay } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import { unitPath } from '../checks/coi.ts';
import { adminGroup, hasSystemd } from '../checks/incus.ts';
import { aptEnv, aptLimitMs, aptOptions } from '../checks/packages.ts';
import {
  type IdLine,
  idLinesText,
  isSameLine,
  parseIdLines,
  singleIdsName,
  withoutLine,
} from '../id-lines.ts';
import { runOrThrow } from '../run-or-throw.ts';
import { recordRemoved, stateDir } from '../setup-record.ts';
import { type RemoveContext, runDir } from './facts.ts';
import { pendingWorkHint, pendingWorkLines, readPendingWork } from './pending-work.ts';
import type { Action } from './plan.ts';

/** Time for coid to finish its work for ended sessions. */
const notesLimitMs = 20_000;
const notesPollMs = 100;
/** After that coid is restarted, since it retries unfinished work only at growing intervals, at last once a day. */
const restartMs = 4000;
const incusLimitMs = 120_000;

export async function undoStep(
  context: RemoveContext,
  action: Action,
  linkBefore: string | undefined,
): Promise<void> {
  const { host, installer } = context;
  switch (action.kind) {
    case 'containers':
      for (const container of action.containers) await context.endContainer(container);
      return;
    case 'coid':
      return stopCoid(context, action);
    case 'tables':
      // `add` first: coid deletes its tables when it ends without sessions, and a missing table cannot be deleted.
      for (const table of action.tables)
        await runOrThrow(context, ['nft', `add table ${table}; delete table ${table}`]);
      return;
    case 'openings':
      for (const argv of action.commands) await runOrThrow(context, argv);
      return;
    case 'images':
    case 'profile':
    case 'bridge':
    case 'pool':
      return undoInIncus(context, action);
    case 'ids':
      for (const { path, line } of action.lines) {
        const text = (await host.readText(path)) ?? '';
        await host.writeText(path, withoutLine(text, line), 0o644);
      }
      await forgetSingleIds(context, action.lines);
      return recordRemoved(host, { idLines: action.lines });
    case 'files':
      await runOrThrow(context, ['rm', '-f', '--', ...action.paths]);
      return;
    case 'members':
      for (const name of action.names)
        await runOrThrow(context, ['gpasswd', '--delete', name, adminGroup]);
      return recordRemoved(host, { members: action.names });
    case 'packages':
      await runOrThrow(context, ['apt-get', '-q', '-y', ...aptOptions, 'remove', ...action.names], {
        env: aptEnv,
        timeoutMs: aptLimitMs,
      });
      return recordRemoved(host, { packages: action.names });
    case 'group':
      await runOrThrow(context, ['groupdel', adminGroup]);
      return recordRemoved(host, { group: true });
    case 'data':
      for (const path of action.paths) await context.removeData(action.home, path);
      return;
    case 'program':
      await installer?.remove(linkBefore);
      return recordRemoved(host, { link: true });
    case 'directories':
      return removeDirectories(context, action.paths);
  }
}

async function forgetSingleIds({ host }: RemoveContext, gone: readonly IdLine[]): Promise<void> {
  const path = `${stateDir}/${singleIdsName}`;
  const recorded = parseIdLines(await host.readText(path));
  const left = recorded.filter((one) => !gone.some((other) => isSameLine(one, other)));
  if (left.length < recorded.length) await host.writeText(path, idLinesText(left), 0o600);
}

async function stopCoid(
  context: RemoveContext,
  { unit, all, force }: Action & { kind: 'coid' },
): Promise<void> {
  // After coid has ended, nothing finishes its work for workspaces.
  if (all) await waitForNotes(context, force);
  await context.stopCoid();
  if (!unit) return;
  const systemd = await hasSystemd(context.host);
  if (systemd) await runOrThrow(context, ['systemctl', 'disable', 'coid.service']);
  await runOrThrow(context, ['rm', '-f', '--', unitPath]);
  if (systemd) await runOrThrow(context, ['systemctl', 'daemon-reload']);
}

async function waitForNotes(context: RemoveContext, force: boolean): Promise<void> {
  const startedMs = performance.now();
  let restarted = false;
  for (;;) {
    const left = await readPendingWork(context.host);
    if (left.length === 0) return;
    const waitedMs = performance.now() - startedMs;
    if (waitedMs > notesLimitMs) {
      const texts = pendingWorkLines(left);
      if (force) return context.reportAbandoned(texts);
      throw new CoiError(
        'setup-failed',
        `coid could not finish its work in these workspaces of ended sessions: ${texts.join(', ')}`,
        { hint: pendingWorkHint(left) },
      );
    }
    if (!restarted && waitedMs > restartMs) {
      restarted = true;
      await context.restartCoid();
    }
    await delay(notesPollMs, undefined, { signal: context.signal });
  }
}

async function undoInIncus(
  context: RemoveContext,
  action: Action & { kind: 'images' | 'profile' | 'bridge' | 'pool' },
): Promise<void> {
  const incus = await context.incus();
  const options = { signal: context.signal, timeoutMs: incusLimitMs };
  switch (action.kind) {
    case 'images':
      for (const fingerprint of action.fingerprints) {
        const deletion = await incus.deleteImage(fingerprint, options);
        await deletion.wait(options);
      }
      return;
    case 'profile': {
      const profile = await incus.profile('default', options);
      if (!profile) return;
      const { description, config, devices } = profile;
      const left = Object.entries(devices).filter(([name]) => !action.devices.includes(name));
      const put = { description, config, devices: Object.fromEntries(left) };
      await incus.query('PUT', '/1.0/profiles/default', put, options);
      return;
    }
    case 'bridge':
      await incus.query('DELETE', `/1.0/networks/${action.name}`, undefined, options);
      return;
    case 'pool':
      await incus.query('DELETE', `/1.0/storage-pools/${action.name}`, undefined, options);
      return;
  }
}

async function removeDirectories(context: RemoveContext, paths: readonly string[]): Promise<void> {
  const { host } = context;
  if (paths.includes(runDir))
    for (const point of (await host.mountPoints()).toReversed())
      if (point.startsWith(`${runDir}/`)) await runOrThrow(context, ['umount', point]);
  const points = await host.mountPoints();
  const targets = paths.map(async (path) =>
    // A mount point stays, empty.
    points.includes(path) ? (await host.names(path)).map((name) => `${path}/${name}`) : [path],
  );
  // A remaining mount below must not be emptied.
  const remove = ['rm', '-rf', '--one-file-system', '--'];
  await runOrThrow(context, [...remove, ...(await Promise.all(targets)).flat()]);
}
