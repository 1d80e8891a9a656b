// JSON Schemas of the `--json` output of commands that change something. Pure.
import { boolean, integer, list, object, type Shape, snapshot, string } from './json-schema.ts';

const ended = object({ done: list(string), failed: list(string) });

const built = object({
  images: list(
    object({
      image: string,
      outcome: { enum: ['built', 'exists', 'outdated'] },
      'version?': string,
      'fingerprint?': string,
    }),
  ),
});

const containerStatus = object({
  name: string,
  status: { enum: ['Running', 'Stopped', 'Deleted'] },
});

const copied = object({
  kind: { enum: ['file', 'directory'] },
  container: string,
  path: string,
  local: string,
  bytes: integer,
});

const port = {
  'name?': string,
  listen: string,
  host_port: integer,
  container_port: integer,
  added: boolean,
};

export const outcomeShapes: Readonly<Record<string, Shape>> = {
  'shell --background': object({
    container: string,
    'slot?': integer,
    'session_id?': string,
    tmux_session: string,
    workspace: string,
    persistent: boolean,
    resumed: boolean,
  }),
  fork: object({
    container: string,
    slot: integer,
    session_id: string,
    tmux_session: string,
    workspace: string,
    forked_from: string,
  }),
  kill: ended,
  shutdown: ended,
  persist: ended,
  unfreeze: ended,
  clean: object({
    dry_run: boolean,
    found: list(object({ kind: { enum: ['container', 'session'] }, name: string, about: string })),
    cleaned: list(string),
    failed: list(string),
  }),
  'setup --remove': object({
    removed: list(object({ kind: string, about: string })),
    stays: list(string),
  }),
  'clean --disk': object({
    found: list(
      object({
        kind: string,
        name: string,
        size_bytes: { type: ['integer', 'null'] },
        about: string,
        safe: boolean,
      }),
    ),
    total_bytes: integer,
    safe_bytes: integer,
    cleaned: list(string),
    failed: list(string),
  }),
  'clean --ownership': object({
    dry_run: boolean,
    workspaces: list(object({ workspace: string, entries: integer, complete: boolean })),
  }),
  build: built,
  'build custom': built,
  'image publish': object({ fingerprint: string, alias: string }),
  'image delete': object({ alias: string, fingerprint: string }),
  'image cleanup': object({ deleted: list(string), kept: list(string) }),
  'snapshot create': object({ container: string, snapshot }),
  'snapshot restore': object({ container: string, snapshot: string, restored: boolean }),
  'snapshot delete': object({ container: string, deleted: list(string) }),
  'network allow': list(object({ container: string, entry: string, until: string })),
  'hosts add': object({ container: string, ip: string, hostnames: list(string) }),
  'hosts remove': object({ container: string, removed: list(string) }),
  'ports list': object({ container: string, ports: list(object(port)) }),
  'ports add': object({ container: string, ...port }),
  'ports remove': object({ container: string, ...port }),
  'ssh-config': object({
    session: string,
    hosts: list(string),
    'config?': {},
    included: boolean,
  }),
  paste: object({
    container: string,
    session: string,
    typed: boolean,
    files: list(object({ path: string, local: string, bytes: integer })),
  }),
  'tmux send': object({ container: string, session: string }),
  'container launch': containerStatus,
  'container start': containerStatus,
  'container stop': containerStatus,
  'container delete': containerStatus,
  'container mount': object({
    name: string,
    device: string,
    source: string,
    path: string,
    readonly: boolean,
  }),
  'file push': copied,
  'file pull': copied,
  'profile create': object({ profile: string, path: string }),
  'profile delete': object({ profile: string, path: string, deleted: boolean }),
  migrate: list(
    object({
      path: string,
      to: string,
      changes: list(string),
      by_hand: list(string),
      changed: boolean,
    }),
  ),
  trust: object({
    waiting: list(object({ source: string, 'profile?': string, line: integer, text: string })),
    approved: list(string),
  }),
  untrust: object({ untrusted: list(string) }),
  'daemon start': object({ running: boolean, pid: integer }),
  'daemon stop': object({ running: boolean, stopped: boolean }),
};
