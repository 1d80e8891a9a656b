// Readers of events and of notices.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bed } from '../bed/bed.ts';

export interface ReadEvent {
  readonly type: string;
  readonly cursor: string;
  readonly container?: string;
  readonly from?: string;
  readonly attention: {
    readonly status: string;
    readonly why?: string;
    readonly said?: string;
    readonly exit_status?: number;
    readonly asks: readonly {
      readonly kind: string;
      readonly title: string;
      readonly body: string;
    }[];
  };
  readonly sessions?: readonly {
    readonly container: string;
    readonly attention: { readonly status: string };
  }[];
}

export interface EventReader {
  all(): readonly ReadEvent[];
  /** The first event of that kind after the previous one that was waited for. */
  next(what: string, isIt: (event: ReadEvent) => boolean): Promise<ReadEvent>;
  close(): Promise<void>;
}

/** Runs `coi events --json`. */
export function readEvents(bed: Bed, args: readonly string[] = []): EventReader {
  const screen = bed.screen(['events', '--json', ...args], { columns: 4000 });
  const all = () =>
    screen
      .output()
      .split('\n')
      .slice(0, -1)
      // On the terminal there are messages too.
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as ReadEvent);
  let seen = 0;
  return {
    all,
    next: async (what, isIt) => {
      let found: ReadEvent | undefined;
      await screen.waitUntil(what, () => {
        const at = all().findIndex((event, index) => index >= seen && isIt(event));
        if (at === -1) return false;
        found = all()[at];
        seen = at + 1;
        return true;
      });
      if (!found) throw new Error(what);
      return found;
    },
    close: () => screen.close(),
  };
}

export interface ReceivedNotice {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface NoticeServer extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly ReceivedNotice[];
  /** Resolves with the first one of that kind, also if it came before. */
  until(isIt: (notice: ReceivedNotice) => boolean): Promise<ReceivedNotice>;
}

/** A server on this host to which notices are sent. */
export async function openNoticeServer(): Promise<NoticeServer> {
  const received: ReceivedNotice[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, unknown>;
      received.push({ path: request.url ?? '', headers: request.headers, body });
      response.end();
      for (const look of [...waiting]) look();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    until: (isIt) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(`no such notice in ${JSON.stringify(received.map(({ body }) => body))}`),
          );
        }, 20_000);
        const look = () => {
          const found = received.find(isIt);
          if (!found) return;
          clearTimeout(limit);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
