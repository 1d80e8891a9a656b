// Which sessions the user looks at, and when: one small file for each attached terminal and for each session that was
// looked at, next to the event log.
import { cleanLine } from '../../attention/clean.ts';
import type { Directory } from '../../host/fs/host-files.ts';
import { processName } from '../../host/proc/container-processes.ts';
import { ownPid } from '../../host/process/self.ts';
import { take } from '../../host/take.ts';
import type { SessionId } from '../../names.ts';
import type { AppContext } from '../context.ts';
import { makeEventLog, openEventLog, tolerant } from './event-log.ts';

export interface View {
  readonly container: string;
  /** As the terminal reports it; undefined if it does not. */
  readonly hasFocus: boolean | undefined;
  /** Unix time of the last key or change of focus. */
  readonly activeMs: number;
}

const viewersMax = 200;
const fileMaxBytes = 500;
/** A window may have the focus while nobody is there. */
const focusedMs = 300_000;
/** For terminals that do not report the focus. */
const typedMs = 30_000;
const viewText = /^(\S+) (\S+) (in|out|unknown) (\d{1,15})\n$/;

/** Errors of the disk are ignored: they must not end a terminal. */
export function writeView(app: AppContext, { container, hasFocus, activeMs }: View): void {
  const focus = hasFocus === undefined ? 'unknown' : hasFocus ? 'in' : 'out';
  const program = encodeURIComponent(processName(ownPid()) ?? '');
  inEvents(app, (directory) =>
    directory.write(viewerFile(), `${container} ${program} ${focus} ${Math.floor(activeMs)}\n`, {
      durable: false,
    }),
  );
}

export function removeView(app: AppContext): void {
  inEvents(app, (directory) => directory.unlink(viewerFile()));
}

/** The containers that the user looks at now. */
export function viewedContainers(app: AppContext): ReadonlySet<string> {
  const nowMs = app.clock.now().getTime();
  const found = new Set<string>();
  tolerant(() => {
    using directory = openEventLog(app);
    for (const { name } of take(viewersIn(directory), viewersMax)) {
      const pid = Number(name.slice('viewer-'.length));
      const text = directory?.readHead(name, { maxBytes: fileMaxBytes })?.toString('utf8') ?? '';
      const [, container, program, focus, active] = viewText.exec(text) ?? [];
      if (container === undefined || encodeURIComponent(processName(pid) ?? '') !== program)
        continue;
      const isRecent =
        nowMs - Number(active) < (focus === 'in' ? focusedMs : focus === 'out' ? 0 : typedMs);
      if (isRecent) found.add(container);
    }
  });
  return found;
}

/** Removes the files of terminals that are gone. */
export function sweepViews(app: AppContext): void {
  inEvents(app, (directory) => {
    for (const { name } of [...take(viewersIn(directory), viewersMax)])
      if (processName(Number(name.slice('viewer-'.length))) === undefined) directory.unlink(name);
  });
}

/** Errors of the disk are ignored. */
export function noteSeen(app: AppContext, session: SessionId): void {
  tolerant(() => markSeen(app, session));
}

/** Throws FileError. */
export function markSeen(app: AppContext, session: SessionId): void {
  using directory = makeEventLog(app);
  directory.write(seenFile(session), `${app.clock.now().getTime()}\n`, { durable: false });
}

/** Unix time; undefined if it was never looked at. */
export function seenMs(app: AppContext, session: string): number | undefined {
  return tolerant(() => {
    using directory = openEventLog(app);
    const text = directory?.readHead(seenFile(session), { maxBytes: fileMaxBytes });
    const found = /^(\d{1,15})\n$/.exec(text?.toString('utf8') ?? '')?.[1];
    return found === undefined ? undefined : Number(found);
  });
}

export function forgetSeen(app: AppContext, session: string): void {
  inEvents(app, (directory) => {
    if (directory.entry(seenFile(session))) directory.unlink(seenFile(session));
  });
}

function viewerFile(): string {
  return `viewer-${ownPid()}`;
}

function seenFile(session: string): string {
  return `seen-${cleanLine(session, 100).replaceAll('/', '-')}`;
}

function* viewersIn(directory: Directory | undefined) {
  for (const entry of directory?.entries() ?? [])
    if (/^viewer-\d{1,10}$/.test(entry.name)) yield entry;
}

function inEvents(app: AppContext, effect: (directory: Directory) => void): void {
  tolerant(() => {
    using directory = makeEventLog(app);
    effect(directory);
  });
}
