// Evidence from a killed container: <state dir>/evidence/<container>-<time>/, and optionally a copy of the container.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../../host/linux/proc-file.ts';
import type { Incus } from '../../incus/client.ts';
import { redactedEvidence } from '../../monitor/redact.ts';
import type { Sample } from '../../monitor/sample.ts';
import type { Threat } from '../../monitor/threat.ts';
import { deleteContainer, findByRef } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { WatchedSession } from './container-watch.ts';
import { runSuspectReader } from './suspect.ts';

export interface EvidenceParts {
  readonly incus: Incus;
  readonly stateDir: string;
  /** Command that starts coi: argv without arguments. */
  readonly program: readonly string[];
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

const keptMax = 20;
const copiesMax = 3;
const copyLimitMs = 120_000;
/** Limit of Incus: the name is also the container's host name. */
const instanceNameMax = 63;
/** `2026-11-26-101500`. */
const stampLength = 17;
const copyOfKey = 'user.coi-forensics.of';

/** Saves evidence from the frozen container. Returns its location for the audit record. */
export async function keepEvidence(
  parts: EvidenceParts,
  session: WatchedSession,
  cause: Threat,
  sample: Sample,
): Promise<Readonly<Record<string, unknown>>> {
  const stamp = parts
    .now()
    .toISOString()
    .replace(/[:.]/g, '')
    .replace('T', '-')
    .slice(0, stampLength);
  const all = join(parts.stateDir, 'evidence');
  const directory = join(all, `${session.name}-${stamp}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const pids = pidsOf(cause);
  const { processes, connections, listeners, ...rest } = sample;
  const report = {
    cause: { ...cause, evidence: redactedEvidence(cause.evidence) },
    sample: { ...rest, socketInodes: undefined },
    processes: processes.map(({ argv, ...task }) => ({
      ...task,
      argv: redactedEvidence(argv),
    })),
    connections,
    listeners,
    suspects: pids.map((pid) => ({
      pid,
      status: readText(`/proc/${pid}/status`),
    })),
  };
  const write = (more: object) =>
    writeFileSync(
      join(directory, 'report.json'),
      `${JSON.stringify({ ...report, ...more }, null, 1)}\n`,
      { mode: 0o600 },
    );
  // Save the known facts before slower steps.
  write({});
  const read = await Promise.all(
    pids.map((pid) => runSuspectReader(parts.program, pid, join(directory, `program-${pid}`))),
  );
  const programs = read.map(({ copied }) => copied);
  const suspects = report.suspects.map((one, index) => ({ ...one, maps: read[index]?.maps }));
  write({ programs, suspects });
  dropOldest(all);
  const copy = session.settings.forensics ? await copyContainer(parts, session, stamp) : undefined;
  const lacking = programs.filter(({ kept }) => kept !== 'file');
  return {
    directory,
    ...(lacking.length > 0 ? { lacking } : {}),
    ...(copy === undefined ? {} : { copy }),
  };
}

function pidsOf({ evidence }: Threat): number[] {
  const task = evidence['process'];
  const relay = evidence['relay'];
  return [task, relay].flatMap((one) =>
    typeof one === 'object' && one !== null && 'pid' in one && typeof one.pid === 'number'
      ? [one.pid]
      : [],
  );
}

function dropOldest(directory: string): void {
  const kept = readdirSync(directory).sort((one, other) =>
    one.slice(-stampLength) < other.slice(-stampLength) ? -1 : 1,
  );
  for (const name of kept.slice(0, -keptMax))
    rmSync(join(directory, name), { recursive: true, force: true });
}

/** Name prefix of a container's copies. Names that are too long for Incus are cut and get a unique hash. */
export function copyPrefix(name: string): string {
  const tail = '-forensics-';
  const room = instanceNameMax - tail.length - stampLength;
  if (name.length <= room) return `${name}${tail}`;
  const own = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, room - own.length - 1)}-${own}${tail}`;
}

/** Creates a stopped copy without mounts, network and coi's keys, except for the name of the original. */
async function copyContainer(
  { incus, signal }: EvidenceParts,
  { name, mounts }: WatchedSession,
  stamp: string,
): Promise<string | undefined> {
  const found = await findByRef(incus, { name, mountsId: mounts }, { signal });
  if (!found) return undefined;
  const { instance } = found;
  const head = copyPrefix(name);
  // Only with coi's mark: others may use such a name for their own containers.
  const copies = (await incus.instances({ signal }))
    .filter((other) => other.name.startsWith(head) && other.config[copyOfKey] === name)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const oldest of copies.slice(0, Math.max(0, copies.length - copiesMax + 1))) {
    const deletion = await deleteContainer(incus, refOf(oldest), { signal });
    await deletion.wait({ signal, timeoutMs: copyLimitMs });
  }
  const copy = `${head}${stamp}`;
  const masked = Object.keys(instance.devices).filter(
    (device) => instance.devices[device]?.['path'] !== '/',
  );
  const kept = Object.entries(instance.config).filter(
    ([key]) => !/^(?:user\.coi\.|volatile\.|raw\.)/.test(key),
  );
  const operation = await incus.createInstance(
    {
      name: copy,
      type: 'container',
      start: false,
      profiles: instance.profiles,
      config: {
        ...Object.fromEntries(kept),
        ...Object.fromEntries(
          Object.keys(instance.config)
            .filter((key) => key.startsWith('user.coi.'))
            .map((key) => [key, '']),
        ),
        'boot.autostart': 'false',
        [copyOfKey]: name,
      },
      devices: Object.fromEntries(masked.map((device) => [device, { type: 'none' }])),
      source: { type: 'copy', source: name, instance_only: true },
    },
    { signal },
  );
  await operation.wait({ signal, timeoutMs: copyLimitMs });
  return copy;
}
