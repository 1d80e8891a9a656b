// Checks of coi itself: the installed program, coid and the session image.
import { type DaemonStatus, protocolVersion } from '../../coid-api/protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Installer, InstallState } from '../../host/install/install.ts';
import { quoted } from '../../names.ts';
import { pluralize } from '../../pluralize.ts';
import { type Check, type Finding, finding, ok } from '../check.ts';
import { runOrThrow } from '../run-or-throw.ts';
import { withServer } from '../server.ts';
import { recordCreated } from '../setup-record.ts';
import { hasSystemd } from './incus.ts';

export const program: Check = {
  id: 'program',
  title: 'coi',
  group: 'CRITICAL',
  run: async ({ installer }) =>
    installer ? programFinding(await installer.state(), installer) : notBuilt(),
  fix: async ({ installer, host }) => {
    if (!installer)
      throw new CoiError('setup-failed', 'coi was never built', { hint: 'Run `npm run build`.' });
    const before = await host.linkTarget(installer.installPaths.linkPath);
    if (before !== undefined && (await installer.state()).link === 'other')
      await recordCreated(host, { link: before });
    await installer.install();
  },
};

function notBuilt(): Finding {
  return finding(
    'failed',
    'this coi runs from source and cannot be installed',
    {},
    { hint: 'Run `npm run build`, then use ./coi.' },
  );
}

/** Checks the installed program: coid never runs from a directory that a user can write to. */
export function programFinding(
  state: InstallState,
  { installPaths }: Pick<Installer, 'installPaths'>,
): Finding {
  const details = { wanted: state.wanted, installed: state.installed ?? null };
  const target = `${installPaths.libDir} (as ${installPaths.linkPath})`;
  if (state.installed === undefined) {
    const aside =
      state.link === 'other' ? `; the present ${installPaths.linkPath} is kept next to it` : '';
    return finding('failed', 'not installed', details, {
      plan: `install this coi in ${target}${aside}`,
    });
  }
  if (state.installed !== state.wanted)
    return finding('warning', 'another build of coi is installed', details, {
      plan: `install this coi in ${target}`,
    });
  if (state.link !== 'ours')
    return finding('warning', `${installPaths.linkPath} does not belong to coi`, details, {
      plan: `make ${installPaths.linkPath} a link to this coi`,
    });
  if (state.man === 'missing')
    return finding('warning', 'the man page is missing', details, {
      plan: `install the man page (${installPaths.manPath})`,
    });
  return ok(`installed in ${installPaths.libDir}/${state.installed}`, details);
}

export const unitPath = '/etc/systemd/system/coid.service';
const programOf = ({ installPaths }: Pick<Installer, 'installPaths'>) =>
  `${installPaths.libDir}/current/bin/coi`;

export const coid: Check = {
  id: 'coid',
  title: 'coid',
  group: 'CRITICAL',
  run: async (context) => {
    const systemd = await hasSystemd(context.host);
    const start = systemd
      ? 'install and start the coid service'
      : 'start coid in the background (there is no systemd)';
    let status: DaemonStatus;
    try {
      status = await context.coidStatus();
    } catch (error) {
      context.signal.throwIfAborted();
      return silentFinding(error, start);
    }
    const { installer } = context;
    const [state, path, unit] = await Promise.all([
      installer?.state(),
      context.host.linkTarget(`/proc/${status.pid}/exe`),
      context.host.readText(unitPath),
    ]);
    const wantedDir = installer && state && `${installer.installPaths.libDir}/${state.wanted}/`;
    const found = coidFinding(status, context.version, wantedDir, path);
    if (found.status !== 'ok' || !systemd || !installer) return found;
    if (unit === context.coidUnit(programOf(installer))) return found;
    const message =
      unit === undefined
        ? 'coid runs, but not as a service'
        : 'the coid service is from another build';
    return finding('warning', message, found.details, { plan: start });
  },
  fix: async (context) => {
    const { installer, host } = context;
    if (!installer)
      throw new CoiError('setup-failed', 'coid cannot be started before coi is installed');
    const program = programOf(installer);
    // Replaces a running coid; `daemon stop` succeeds if none runs.
    const stop = () => runOrThrow(context, [program, 'daemon', 'stop']);
    if (!(await hasSystemd(host))) {
      await stop();
      await runOrThrow(context, [program, 'daemon', 'start']);
      return;
    }
    await host.writeText(unitPath, context.coidUnit(program), 0o644);
    await runOrThrow(context, ['systemctl', 'daemon-reload']);
    await stop();
    await runOrThrow(context, ['systemctl', 'enable', 'coid.service']);
    await runOrThrow(context, ['systemctl', 'restart', 'coid.service']);
  },
};

function silentFinding(error: unknown, start: string): Finding {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'coid-version') {
    return finding(
      'failed',
      'coid has another version',
      {},
      { plan: 'restart coid from this coi' },
    );
  }
  return finding('failed', `not running: ${message ?? String(error)}`, {}, { plan: start });
}

/**
 * `wantedDir`: directory of the installed program. `path`: coid's executable, undefined if this user may not see it.
 */
export function coidFinding(
  status: DaemonStatus,
  version: string,
  wantedDir: string | undefined,
  path: string | undefined,
): Finding {
  const {
    pid,
    sessions,
    leases,
    incus,
    bridge,
    guarded,
    guardFailure,
    guardsLeftIn = [],
    filesHeld = [],
  } = status;
  const details = { version: status.version, pid, sessions, leases, incus, bridge, guarded };
  const restart = { plan: 'restart coid from this coi' };
  if (status.protocol !== protocolVersion || status.version !== version) {
    return finding(
      'failed',
      `coid has version ${status.version}, this coi has ${version}`,
      details,
      restart,
    );
  }
  if (wantedDir !== undefined && path !== undefined && !path.startsWith(wantedDir))
    return finding('warning', 'coid runs another build of coi', details, restart);
  if (incus !== 'connected')
    return finding('warning', `version ${status.version}, waiting for Incus`, details);
  if (guardFailure !== undefined)
    return finding(
      'failed',
      `the network rules of sessions are not active: ${guardFailure}`,
      { ...details, guardFailure },
      {
        hint: 'Run `coi daemon logs` to see why. Until this is fixed, sessions start only with --network open.',
      },
    );
  const [held] = filesHeld;
  if (held !== undefined)
    return finding(
      'warning',
      `the file system at ${quoted(held)} does not answer: sessions there wait for it`,
      { ...details, filesHeld, guardsLeftIn },
      {
        hint: 'Check whether its server is reachable, or unmount it (`umount -l`) and mount it again.',
      },
    );
  const [away] = guardsLeftIn;
  if (away !== undefined)
    return finding(
      'warning',
      `a session's guard is left in ${quoted(away)}, which was moved or is not mounted`,
      { ...details, guardsLeftIn },
      {
        hint: 'Move or mount it back to that path: coid then cleans it within half a minute, as does the end of a session in it.',
      },
    );
  return ok(
    `version ${status.version}, ${pluralize(sessions, 'session')}, ${guarded} guarded`,
    details,
  );
}

export const image: Check = {
  id: 'image',
  title: 'Image',
  group: 'CRITICAL',
  run: async (context) =>
    withServer(context, undefined, async (incus) => {
      const entry = await incus.imageAlias(context.imageAlias, { signal: context.signal });
      if (entry)
        return ok(context.imageAlias, { alias: context.imageAlias, fingerprint: entry.target });
      return finding(
        'warning',
        `${context.imageAlias} is not built yet`,
        { alias: context.imageAlias },
        { hint: 'Run `coi build`.' },
      );
    }),
};
