// `coi list` as text and as JSON, in the predecessor's format. Pure.
import { activityJson } from '../../../attention/activity-text.ts';
import { oneLine } from '../../../printable.ts';
import type { ListedContainer, SavedRow, SessionList } from '../../../session/record/listing.ts';

export function listText({ status, containers, saved }: SessionList): string[] {
  return [
    ...section(`${status ?? 'Active'} Containers:`, containers.map(containerLines)),
    ...(saved ? ['', ...section('Saved Sessions:', saved.map(savedLines))] : []),
  ];
}

export function listJson({ containers, saved }: SessionList): unknown {
  return {
    active_containers: containers.map((container) => ({
      name: container.name,
      status: container.status,
      created_at: container.createdAt,
      image: container.image,
      persistent: container.persistent,
      ipv4: container.ipv4 ?? '',
      pool: container.pool,
      alias: container.alias ?? '',
      ...(container.workspace === undefined ? {} : { workspace: container.workspace }),
      ...(container.owner === undefined ? {} : { owner: container.owner }),
      ...(container.alert === undefined ? {} : { alert: container.alert }),
      published_ports: container.ports ?? [],
      ephemeral: !container.persistent,
      state: container.status.toLowerCase(),
      attached: container.attached ?? null,
      last_attached: container.lastAttached?.toISOString() ?? null,
      ...(container.activity && {
        attention: { ...activityJson(container.activity), unseen: container.unseen ?? false },
      }),
      ...sessionJson(container.session),
      ...(container.tree && {
        tree: { ...container.tree, changes: container.tree.changes ?? null },
      }),
    })),
    ...(saved && saved.length > 0 ? { saved_sessions: saved.map(savedJson) } : {}),
  };
}

function section(heading: string, entries: readonly string[][]): string[] {
  const body = entries.length === 0 ? ['  (none)'] : entries.flat();
  return [heading, '-'.repeat(heading.length), ...body];
}

function containerLines(container: ListedContainer): string[] {
  const alias = container.alias === undefined ? '' : ` (${oneLine(container.alias)})`;
  const kept = container.persistent ? '(persistent)' : '(ephemeral)';
  const rows: [string, string | undefined][] = [
    ['Status', container.status],
    ['IPv4', container.ipv4],
    ['Ports', container.ports?.join(', ')],
    ['Created', localTime(new Date(container.createdAt))],
    ['Image', container.image],
    ['Pool', container.pool],
    ['Workspace', container.workspace],
    ['Owner', container.owner?.toString()],
    ['Security', container.security],
  ];
  return [
    `  ${container.name}${alias} ${kept}`,
    ...rows.flatMap(([label, value]) => (value ? [`    ${label}: ${oneLine(value)}`] : [])),
  ];
}

function savedLines({ id, savedAt, workspace }: SavedRow): string[] {
  return [
    `  ${id}`,
    `    Saved: ${savedAt ? localTime(savedAt) : 'unknown'}`,
    ...(workspace === undefined ? [] : [`    Workspace: ${oneLine(workspace)}`]),
  ];
}

function sessionJson(session: ListedContainer['session']) {
  if (!session) return {};
  const { id, slot, tool, mode, profile } = session;
  return { session_id: id, slot, tool, mode, profile: profile ?? '' };
}

function savedJson(saved: SavedRow) {
  return {
    ID: saved.id,
    SavedAt: saved.savedAt?.toISOString() ?? '',
    Workspace: saved.workspace ?? '',
    tool: saved.tool ?? '',
    slot: saved.slot ?? null,
    container: saved.container ?? '',
    persistent: saved.persistent ?? false,
    profile: saved.profile ?? '',
    last_attached: saved.lastAttached?.toISOString() ?? null,
    first_words: saved.firstWords ?? '',
  };
}

/** `2026-01-02 03:04:05` in the local time zone. */
function localTime(time: Date): string {
  if (Number.isNaN(time.getTime())) return 'unknown';
  const two = (value: number) => String(value).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  return `${date} ${clock}`;
}
