// JSON Schemas of the `--json` output, by command. Scripts rely on them: keys are added, never renamed or removed. Pure.
import { attentionShape, attentionShapes } from './json-attention.ts';
import { outcomeShapes } from './json-outcomes.ts';
import {
  boolean,
  integer,
  list,
  number,
  object,
  type Shape,
  snapshot,
  string,
  table,
} from './json-schema.ts';
import { treeShape, treeShapes } from './json-trees.ts';

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
  ephemeral: boolean,
  state: string,
  attached: { type: ['boolean', 'null'] },
  'attention?': attentionShape,
  last_attached: { type: ['string', 'null'] },
  'session_id?': string,
  'slot?': integer,
  'tool?': string,
  'mode?': { enum: ['restricted', 'allowlist', 'open'] },
  'profile?': string,
  'tree?': treeShape,
});

const saved = object({
  ID: string,
  SavedAt: string,
  Workspace: string,
  tool: string,
  slot: { type: ['integer', 'null'] },
  container: string,
  persistent: boolean,
  profile: string,
  last_attached: { type: ['string', 'null'] },
  first_words: string,
});

const monitorSnapshot = object({
  timestamp: string,
  container_name: string,
  container_ip: string,
  watched: boolean,
  paused: boolean,
  network: object({
    active_connections: integer,
    suspicious_count: integer,
    connections: list(
      object({
        protocol: string,
        local: string,
        remote: string,
        state: string,
        suspicious: boolean,
      }),
    ),
    sent_mb: number,
    received_mb: number,
  }),
  processes: object({
    available: boolean,
    total_count: integer,
    processes: list(object({ pid: integer, ppid: integer, user: string, command: string })),
  }),
  filesystem: object({ read_mb_per_sec: number, write_mb_per_sec: number }),
  resources: object({
    cpu_time_seconds: number,
    cpu_percent: number,
    memory_mb: number,
    memory_limit_mb: number,
  }),
  threats: list(object({ level: string, category: string, title: string, description: string })),
  errors: list(string),
});

const topRow = object({
  container: string,
  paused: boolean,
  watched: boolean,
  cpu_percent: number,
  memory_mb: number,
  memory_limit_mb: number,
  processes: integer,
  read_mb_per_sec: number,
  write_mb_per_sec: number,
  sent_mb_per_sec: number,
  received_mb_per_sec: number,
  'process_list?': list(table),
});

const networkReport = object({
  container: string,
  interface: string,
  address: string,
  policy: object({ mode: { enum: ['restricted', 'allowlist', 'open'] }, allow: list(string) }),
  permits: list(object({ entry: string, until: string })),
  inForce: boolean,
  denials: list(table),
  names: list(table),
});

const check = object({
  name: string,
  status: { enum: ['ok', 'warning', 'failed'] },
  message: string,
});

const healthReport = object({
  status: { enum: ['healthy', 'degraded', 'unhealthy'] },
  timestamp: string,
  checks: { type: 'object', additionalProperties: check },
  summary: object({ total: integer, passed: integer, warnings: integer, failed: integer }),
});

/** A line of the audit log; `seq`, `prev` and `hash` chain it to the previous line. */
const auditRecord = object({
  id: string,
  timestamp: string,
  container: string,
  level: string,
  category: string,
  title: string,
  description: string,
  evidence: {},
  action: string,
  'repeats?': integer,
  seq: integer,
  prev: string,
  hash: string,
});

export const jsonShapes: Readonly<Record<string, Shape>> = {
  ...outcomeShapes,
  ...attentionShapes,
  ...treeShapes,
  list: object({
    active_containers: list(container),
    'saved_sessions?': list(saved),
  }),
  info: object({
    session_id: string,
    container_name: string,
    tool: string,
    persistent: boolean,
    session_path: string,
    session_data: object({ bytes: integer, files: integer, complete: boolean }),
    'workspace?': {},
    'profile_name?': {},
    'slot?': {},
    'saved_at?': {},
  }),
  version: object({ version: string, url: string }),
  health: healthReport,
  setup: healthReport,
  run: object({
    container: string,
    exit_code: integer,
    stdout: string,
    stderr: string,
    'truncated?': boolean,
    duration_ms: integer,
  }),
  'container exec': object({
    stdout: string,
    stderr: string,
    'truncated?': boolean,
    exit_code: integer,
  }),
  'container list': list(object({ name: string, status: string })),
  'container info': object({ name: string, status: string, snapshots: list(snapshot) }),
  'image list': list(
    object({ fingerprint: string, aliases: list(string), size: integer, created_at: string }),
  ),
  'image info': object({ fingerprint: string, aliases: list({ type: 'object' }), size: integer }),
  'snapshot list': object({ container: string, snapshots: list(snapshot) }),
  'snapshot list --all': { type: 'object', additionalProperties: list(snapshot) },
  'snapshot info': object({ container: string, snapshot }),
  monitor: monitorSnapshot,
  audit: auditRecord,
  'audit --verify': object({
    whole: boolean,
    lines: integer,
    problems: list(object({ line: integer, problem: string })),
  }),
  logs: object({ source: { enum: ['stdout', 'stderr', 'journal'] }, line: string }),
  top: list(topRow),
  'network show': object({ sessions: list(networkReport), 'configured?': table }),
  'network log': list(object({ at: string, destination: string, rule: string, about: string })),
  'network why': object({
    'container?': {},
    decisions: list(object({ destination: string, verdict: string, rule: string, about: string })),
  }),
  handoff: object({
    workspace: string,
    since: string,
    complete: boolean,
    not_looked_at: list(object({ path: string, why: string })),
    files: list(object({ path: string, why: string, 'group?': string })),
    hidden: list(string),
    installed: list(object({ path: string, changed: integer })),
    stripped_unnamed: integer,
  }),
  'daemon status': object({
    protocol: integer,
    version: string,
    pid: integer,
    startedAt: string,
    incus: { enum: ['connected', 'waiting'] },
    sessions: integer,
    leases: integer,
    bridge: string,
  }),
  'config show': {
    type: 'object',
    additionalProperties: object({ value: {}, origin: list(string) }),
  },
  'tmux list': list(object({ container: string, session: string })),
  'tmux capture': object({ container: string, session: string, screen: string }),
  'login list': object({
    logins: list(
      object({
        tool: string,
        login: string,
        'account?': string,
        renewable: boolean,
        'expires_at?': string,
        expired: boolean,
        'from_session?': string,
      }),
    ),
    sessions: list(
      object({
        session: string,
        tool: string,
        login: string,
        'account?': string,
        reason: { enum: ['other', 'refused', 'mixed', 'unknown', 'swapped', 'offered'] },
      }),
    ),
  }),
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
  'profile info': { type: 'object' },
  'trust --list': list(object({ path: string, digest: string })),
  validate: list(
    object({ what: string, valid: boolean, errors: list(string), warnings: list(string) }),
  ),
  update: object({ version: string, latest: string, update_available: boolean }),
  error: object({ error: object({ code: string, message: string, 'hint?': string }) }),
};
