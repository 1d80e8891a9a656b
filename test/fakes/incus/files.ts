// Files of the fake's instances, as a flat map of paths.
import { posix } from 'node:path';
import { instanceOf } from './instances.ts';
import { Refusal } from './operations.ts';
import { type Reply, type Request, type Route, route, sync } from './routes.ts';
import type { FakeEntry } from './state.ts';

export const fileRoutes: readonly Route[] = [
  route('GET /1.0/instances/*/files', (request, daemon) => {
    const { files } = instanceOf(daemon, request);
    const path = pathOf(request);
    const entry = files.get(path);
    if (!entry) throw new Refusal(404, 'file does not exist');
    return fileReply(
      entry,
      [...files.keys()].filter((other) => other !== path && posix.dirname(other) === path),
    );
  }),
  route('POST /1.0/instances/*/files', (request, daemon) => {
    const { files } = instanceOf(daemon, request);
    const path = pathOf(request);
    const parent = files.get(posix.dirname(path));
    if (parent?.content.kind !== 'directory') throw new Refusal(404, 'No such file or directory');
    const before = files.get(path);
    const header = (name: string) => request.headers[`x-incus-${name}`];
    const about = {
      uid: Number(header('uid') ?? before?.uid ?? 0),
      gid: Number(header('gid') ?? before?.gid ?? 0),
      mode: Number.parseInt(String(header('mode') ?? before?.mode.toString(8) ?? '644'), 8),
    };
    if (header('type') === 'directory') {
      if (!before) files.set(path, { ...about, content: { kind: 'directory' } });
      return sync();
    }
    const old =
      header('write') === 'append' && before?.content.kind === 'file' ? [before.content.bytes] : [];
    files.set(path, {
      ...about,
      content: { kind: 'file', bytes: Buffer.concat([...old, request.raw]) },
    });
    return sync();
  }),
  route('DELETE /1.0/instances/*/files', (request, daemon) => {
    if (!instanceOf(daemon, request).files.delete(pathOf(request)))
      throw new Refusal(404, 'Not Found');
    return sync();
  }),
];

function pathOf({ query }: Request): string {
  return posix.normalize(query.get('path') ?? '/');
}

function fileReply({ uid, gid, mode, content }: FakeEntry, entries: string[]): Reply {
  const headers = {
    'X-Incus-uid': String(uid),
    'X-Incus-gid': String(gid),
    'X-Incus-mode': `0${mode.toString(8)}`,
    'X-Incus-type': content.kind,
    'Content-Type': content.kind === 'directory' ? 'application/json' : 'application/octet-stream',
  };
  switch (content.kind) {
    case 'file':
      return { kind: 'raw', headers, body: content.bytes };
    case 'symlink':
      return { kind: 'raw', headers, body: Buffer.from(`${content.target}\n`) };
    case 'directory': {
      const metadata = entries.map((entry) => posix.basename(entry));
      const body = Buffer.from(JSON.stringify({ type: 'sync', status_code: 200, metadata }));
      return { kind: 'raw', headers, body };
    }
  }
}
