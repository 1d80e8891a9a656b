// `coi events`: prints what sessions do, as it happens.
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { followEvents } from '../../../app/events/follow-events.ts';
import { watcherRuns } from '../../../app/events/watcher-runs.ts';
import { namedSession } from '../../../app/targets/named-session.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { attentionLine } from '../../../attention/activity-text.ts';
import { parseCursor } from '../../../attention/events/cursor.ts';
import type { LoggedEvent, SessionState } from '../../../attention/events/event.ts';
import { oneLine } from '../../../printable.ts';
import { noTool } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { collect, mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';

interface Options extends GlobalOptions {
  session?: readonly string[];
  since?: string;
  json?: boolean;
}

const watcherMs = 5000;

export function register(command: Command, app: App): void {
  command
    .option('--session <name>', 'only this session, by name or alias (repeatable)', collect)
    .option('--since <cursor>', 'also print what has happened since an earlier event')
    .option('--json', 'print one line of JSON for each event, with its cursor')
    .addHelpText(
      'after',
      `
Runs until it is interrupted. The first event is a snapshot of all sessions. With --since it is left out if the log still
has everything since that cursor; the log keeps the last few megabytes. Changes that follow each other within a tenth of a second
are reported as one.`,
    )
    .action(() => events(app, mergedOptions<Options>(command)));
}

async function events(app: App, options: Options): Promise<void> {
  // Empty: a script that has no cursor yet.
  const since = options.since ? parseCursor(options.since) : undefined;
  const target = sessionTarget(options);
  const names = new Set<string>();
  for (const word of options.session ?? []) names.add((await namedSession(app, target, word)).name);
  const isMeant = ({ container }: SessionState) => names.size === 0 || names.has(container);
  // Without coid nobody writes to the log.
  await (await app.coid()).status();
  const check = setTimeout(() => void warnWithoutWatcher(app), watcherMs);
  check.unref();
  if (app.io.briefStderr && !options.json) app.io.info('Waiting for events; Ctrl-C ends.');
  try {
    for await (const { event, cursor } of followEvents(app, since, app.signal)) {
      const shown = onlyMeant(event, isMeant);
      if (shown && options.json) app.io.printJsonLine({ ...shown, cursor });
      else if (shown) for (const line of linesOf(shown)) app.io.print(oneLine(line));
    }
  } catch (error) {
    // Ctrl-C is the usual end.
    if (!app.signal.aborted) throw error;
  }
}

/** coid starts the watcher a moment after the first session, and again if it was killed. */
async function warnWithoutWatcher(app: App): Promise<void> {
  const own = await ownContainers(app, {});
  const isNeeded = own.some(({ session }) => session !== undefined && session.tool !== noTool);
  if (!isNeeded || (await watcherRuns(app))) return;
  // coid may just be starting it again.
  await delay(watcherMs, undefined, { signal: app.signal }).catch(() => undefined);
  if (!app.signal.aborted && !(await watcherRuns(app)))
    app.report.warn(
      'events are not written: no watcher runs. Check the free space and the permissions of ~/.coi/events, and `coi daemon logs`.',
    );
}

/** Undefined for an event of another session. */
function onlyMeant(
  event: LoggedEvent,
  isMeant: (state: SessionState) => boolean,
): LoggedEvent | undefined {
  if (event.type === 'snapshot') return { ...event, sessions: event.sessions.filter(isMeant) };
  return isMeant(event) ? event : undefined;
}

function linesOf(event: LoggedEvent): string[] {
  const time = new Date(event.at).toTimeString().slice(0, 8);
  const states = event.type === 'snapshot' ? event.sessions : [event];
  return states.map((state) => `${time}  ${nameOf(state)}  ${attentionLine(state.attention)}`);
}

/** A name that other commands take. */
function nameOf({ alias, slot, container }: SessionState): string {
  return alias === '' ? container : `${alias}-${slot}`;
}
