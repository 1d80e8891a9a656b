// `coi network allow`: permits a destination temporarily.
import { liveContainers, noRunningSession } from '../../../app/network/sessions.ts';
import { parseDurationMs } from '../../../config/keys/values.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { entryText, parseEntry } from '../../../network/entry.ts';
import type { App } from '../../app.ts';
import { type NetworkOptions, networkRequest } from './network-options.ts';

export async function allowTemporarily(
  app: App,
  options: NetworkOptions,
  entry: string,
): Promise<void> {
  const forMs = parseDurationMs(options.for ?? defaultDuration);
  if (forMs === undefined)
    throw new CoiError('usage', `invalid --for ${quoted(options.for ?? '')}`, {
      hint: 'Use a duration such as 30m, 2h or 1h30m.',
    });
  const wanted = parseAllowEntry(entry);
  const coid = await app.coid();
  const request = networkRequest(app, options);
  const containers = await liveContainers(app, request);
  if (containers.length === 0) throw noRunningSession();
  const replies = [];
  for (const { name: container, session } of containers) {
    const permit = { id: session?.mounts.id ?? '', entry: wanted, forMs };
    replies.push({
      container,
      ...(await coid.permit(container, permit, { signal: app.signal })),
    });
  }
  if (options.json) return app.io.printJson(replies);
  app.io.print(
    replies
      .map(
        ({ container, entry: opened, until }) => `${opened} is open to ${container} until ${until}`,
      )
      .join('\n'),
  );
}

/** On a command line a wrong entry is a usage error, not a configuration error. */
function parseAllowEntry(text: string): string {
  try {
    return entryText(parseEntry(text));
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    const { message, hint } = error;
    throw new CoiError('usage', message, { ...(hint !== undefined && { hint }), cause: error });
  }
}

export const defaultDuration = '30m';
