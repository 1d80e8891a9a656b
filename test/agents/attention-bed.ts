// What coi says about a session's agent, and the files on which it bases that.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../bed/bed.ts';

export interface Attention {
  readonly status: string;
  readonly why?: string;
  readonly by?: string;
  readonly unseen?: boolean;
  readonly asks: readonly {
    readonly kind: string;
    readonly title: string;
    readonly body: string;
    readonly options: readonly { readonly label: string }[];
    readonly sub_agent: boolean;
  }[];
}

export interface ListedSession {
  readonly name: string;
  readonly attention: Attention;
  readonly session_id: string;
}

export async function listed(bed: Bed, name: string): Promise<ListedSession> {
  const result = await bed.coi(['list', '--json']);
  assert.equal(result.status, 0, result.stderr);
  const { active_containers } = JSON.parse(result.stdout) as {
    active_containers: ListedSession[];
  };
  const found = active_containers.find((one) => one.name === name);
  assert.ok(found, `${name} is not in:\n${result.stdout}`);
  return found;
}

/** What `coi wait` reports for a goal within a minute. */
export async function waitFor(bed: Bed, name: string, goal: string): Promise<Attention> {
  const result = await bed.coi(['wait', name, '--for', goal, '--timeout', '30s', '--json']);
  if (result.status !== 0) {
    const { stdout } = await bed.coi(['tmux', 'capture', name]);
    assert.fail(`${goal}: ${result.stdout}${result.stderr}${stdout}`);
  }
  return JSON.parse(result.stdout) as Attention;
}

/** Closes a dialog of Claude Code, which ignores keys for a moment after it has opened one. */
export async function dismiss(bed: Bed, name: string): Promise<void> {
  for (let status: number | null = 124; status === 124; ) {
    assert.equal((await bed.coi(['tmux', 'send', name, '--key', 'Escape'])).status, 0);
    ({ status } = await bed.coi(['wait', name, '--for', 'idle', '--timeout', '2s']));
  }
}

/** The agent's files of one moment, without what coi does not read. */
export interface Trace {
  readonly registry: object;
  readonly transcript: readonly object[];
  readonly subAgents: readonly (readonly object[])[];
}

export function traceOf(bed: Bed, sessionId: string): Trace {
  const claude = join(bed.user.home, '.coi/sessions-claude', sessionId, '.claude');
  const names = readdirSync(join(claude, 'sessions')).filter((name) => /^\d+\.json$/.test(name));
  assert.equal(names.length, 1, names.join());
  const registry = JSON.parse(
    readFileSync(join(claude, 'sessions', names[0] ?? ''), 'utf8'),
  ) as Record<string, unknown>;
  const { pid, procStart, sessionId: conversation, cwd, status, waitingFor } = registry;
  const project = join(claude, 'projects', String(cwd).replace(/[^A-Za-z0-9]/g, '-'));
  const subAgents = join(project, String(conversation), 'subagents');
  return {
    registry: { pid, procStart, sessionId: conversation, cwd, status, waitingFor },
    transcript: linesOf(join(project, `${String(conversation)}.jsonl`)),
    subAgents: existsSync(subAgents)
      ? readdirSync(subAgents)
          .filter((name) => name.endsWith('.jsonl'))
          .map((name) => linesOf(join(subAgents, name)))
      : [],
  };
}

const readFields = ['type', 'subtype', 'isMeta', 'isApiErrorMessage', 'content', 'operation'];

function linesOf(path: string): object[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ type }) =>
      ['user', 'assistant', 'system', 'queue-operation', 'attachment'].includes(String(type)),
    )
    .flatMap((line) => {
      const { message, attachment } = line as {
        message?: Record<string, unknown>;
        attachment?: Record<string, unknown>;
      };
      if (line['type'] === 'attachment' && attachment?.['type'] !== 'queued_command') return [];
      const kept = Object.entries(line).filter(([key]) => readFields.includes(key));
      return [
        {
          ...Object.fromEntries(kept),
          ...(message && { message: pick(message, ['content', 'stop_reason']) }),
          ...(attachment && { attachment: pick(attachment, ['type', 'prompt']) }),
        },
      ];
    });
}

function pick(from: Record<string, unknown>, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}
