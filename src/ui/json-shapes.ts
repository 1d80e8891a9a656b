// JSON Schemas of what `--json` prints, by command. Scripts rely on them: keys are added, never renamed or removed. Pure.

export type Shape = Readonly<Record<string, unknown>>;

const string = { type: 'string' } as const;
const integer = { type: 'integer' } as const;
const boolean = { type: 'boolean' } as const;
const list = (items: Shape): Shape => ({ type: 'array', items });

/** An object with these keys; those with a `?` at the end may be missing, and others may come. */
function object(keys: Readonly<Record<string, Shape>>): Shape {
  const required = Object.keys(keys).filter((key) => !key.endsWith('?'));
  const properties = Object.fromEntries(
    Object.entries(keys).map(([key, shape]) => [key.replace(/\?$/, ''), shape]),
  );
  return { type: 'object', properties, required };
}

const snapshot = object({
  name: string,
  created_at: string,
  'expires_at?': string,
  stateful: boolean,
  'description?': string,
});

const container = object({
  name: string,
  status: string,
  created_at: string,
  image: string,
  persistent: boolean,
  ipv4: string,
  pool: string,
  alias: string,
  'workspace?': string,
  'owner?': integer,
  'alert?': { type: 'object' },
  published_ports: list(string),
});

const check = object({
  name: string,
  status: { enum: ['ok', 'warning', 'failed'] },
  message: string,
});

export const jsonShapes: Readonly<Record<string, Shape>> = {
  list: object({
    active_containers: list(container),
    'saved_sessions?': list(object({ ID: string, SavedAt: string, Workspace: string })),
  }),
  version: object({ version: string, url: string }),
  health: object({
    status: { enum: ['healthy', 'degraded', 'unhealthy'] },
    timestamp: string,
    checks: { type: 'object', additionalProperties: check },
    summary: object({ total: integer, passed: integer, warnings: integer, failed: integer }),
  }),
  run: object({
    container: string,
    exit_code: integer,
    stdout: string,
    stderr: string,
    duration_ms: integer,
  }),
  'container exec': object({ stdout: string, stderr: string, exit_code: integer }),
  'container list': list(object({ name: string, status: string })),
  'container info': object({ name: string, status: string, snapshots: list(snapshot) }),
  'image list': list(
    object({ fingerprint: string, aliases: list(string), size: integer, created_at: string }),
  ),
  'image info': object({ fingerprint: string, aliases: list({ type: 'object' }), size: integer }),
  'image publish': object({ fingerprint: string, alias: string }),
  'snapshot list': object({ container: string, snapshots: list(snapshot) }),
  'snapshot list --all': { type: 'object', additionalProperties: list(snapshot) },
  'snapshot info': object({ container: string, snapshot }),
  'tmux list': list(object({ container: string, session: string })),
  'hosts list': list(object({ ip: string, hostnames: list(string) })),
  'profile list': list(
    object({
      name: string,
      image: string,
      persistent: boolean,
      'storage_pool?': string,
      'inherits?': string,
      'source?': string,
    }),
  ),
  'tool spec': object({ command: list(string), env: { type: 'object' }, 'prompt?': string }),
  validate: list(
    object({ what: string, valid: boolean, errors: list(string), warnings: list(string) }),
  ),
  update: object({ version: string, latest: string, update_available: boolean }),
  error: object({ error: object({ code: string, message: string, 'hint?': string }) }),
};
