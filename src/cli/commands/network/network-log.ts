// `coi network log`: prints refused connections, with --follow as they occur.
import { setTimeout as delay } from 'node:timers/promises';
import { liveReportsOrNone, sessionReports } from '../../../app/network/sessions.ts';
import type { Refusal } from '../../../network/explain.ts';
import { refusals } from '../../../network/explain.ts';
import type { App } from '../../app.ts';
import { refusalLine } from '../../ui/views/network.ts';
import { type NetworkOptions, networkRequest } from './network-options.ts';

export async function printLog(app: App, options: NetworkOptions): Promise<void> {
  const request = networkRequest(app, options);
  const seen = new Set<string>();
  for (let first = true; ; first = false) {
    const reports = first
      ? await sessionReports(app, request)
      : await liveReportsOrNone(app, request);
    if (reports.length === 0) return app.io.info('No session is running here anymore.');
    const now = app.clock.now();
    const all = reports.flatMap((report) =>
      refusals(report, now).map((refusal) => ({ container: report.container, ...refusal })),
    );
    const fresh = all.filter((refusal) => !seen.has(idOf(refusal)));
    for (const refusal of fresh) seen.add(idOf(refusal));
    if (options.json && !options.follow) app.io.printJson(fresh);
    else
      for (const refusal of fresh)
        if (options.json) app.io.printJsonLine(refusal);
        else app.io.print(refusalLine(refusal));
    if (!options.follow) {
      if (!options.json && fresh.length === 0)
        app.io.info('Nothing was refused in the last 15 minutes.');
      return;
    }
    await delay(followEveryMs, undefined, { signal: app.signal });
  }
}

/** Each destination of a session is printed once, no matter how often it is tried. */
function idOf({ container, kind, destination }: Refusal & { container: string }): string {
  return [container, kind, destination].join(' ');
}

const followEveryMs = 1000;
