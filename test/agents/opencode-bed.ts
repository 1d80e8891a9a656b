// The real opencode, and the status files in which it tells what it does (src/session/guest/opencode-status.js).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../bed/bed.ts';
import { storeOf } from '../lifecycle/conversation.ts';
import type { AgentOptions } from './agent-bed.ts';

export const opencodeOptions: AgentOptions = {
  tool: 'opencode',
  ready: /ctrl\+p commands/,
  files: ({ url }) => ({
    '.config/opencode/opencode.json': JSON.stringify({
      model: 'anthropic/claude-sonnet-4-5',
      small_model: 'anthropic/claude-sonnet-4-5',
      provider: { anthropic: { options: { baseURL: `${url}/v1`, apiKey: 'sk-test' } } },
    }),
  }),
};

export interface StatusFile {
  readonly v: number;
  readonly pid: number;
  readonly start: string;
  readonly conversation: string;
  readonly status: 'busy' | 'idle' | 'waiting';
  readonly since: number;
  readonly end?: 'finished' | 'interrupted' | 'failed';
  readonly said?: string;
  readonly asks?: readonly {
    readonly id: string;
    readonly kind: 'permission' | 'question' | 'dialog';
    readonly title: string;
    readonly body: string;
    readonly options: readonly {
      readonly id: string;
      readonly label: string;
      readonly note: string;
    }[];
    readonly subAgent?: boolean;
  }[];
  readonly received: readonly { readonly id: string; readonly sha256: string }[];
}

const limitMs = 60_000;

export function statusDirectory(bed: Bed, session: string): string {
  return join(storeOf(bed, session, 'opencode'), '.local/share/opencode/coi-status');
}

/** The files of a session's processes, also of dead ones. */
export function statusFiles(bed: Bed, session: string): StatusFile[] {
  const directory = statusDirectory(bed, session);
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => /^\d+\.json$/.test(name))
    .flatMap((name) => {
      const text = readIfThere(join(directory, name));
      return text === undefined ? [] : [JSON.parse(text) as StatusFile];
    });
}

/** A process that ends removes its file. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export interface StatusWatch extends Disposable {
  /** Distinct contents since the last call. */
  seen(): StatusFile[];
  /** The status file of one process once it satisfies the condition. */
  until(what: string, isTrue: (file: StatusFile) => boolean): Promise<StatusFile>;
}

/** Follows the status files of a session, from before its agent has made their directory. */
export function watchStatus(bed: Bed, session: string): StatusWatch {
  let seen: StatusFile[] = [];
  let last = '';
  const waiting = new Set<() => void>();
  const look = () => {
    const files = statusFiles(bed, session);
    const text = JSON.stringify(files);
    if (text !== last) seen.push(...files.filter((file) => !last.includes(JSON.stringify(file))));
    last = text;
    for (const wake of [...waiting]) wake();
    return files;
  };
  mkdirSync(statusDirectory(bed, session), { recursive: true });
  chownSync(statusDirectory(bed, session), bed.user.uid, bed.user.gid);
  const watcher = watch(statusDirectory(bed, session), look);
  look();
  return {
    seen: () => {
      const since = seen;
      seen = [];
      return since;
    },
    until: (what, isTrue) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`not ${what}: ${last}`));
        }, limitMs);
        const check = () => {
          const found = statusFiles(bed, session).find(isTrue);
          if (!found) return;
          clearTimeout(limit);
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    [Symbol.dispose]: () => watcher.close(),
  };
}

/** Whether the last message that opencode has taken is exactly this text. */
export function hasReceived({ received }: StatusFile, text: string): boolean {
  return received.at(-1)?.sha256 === createHash('sha256').update(text).digest('hex');
}

export function onlyStatus(bed: Bed, session: string): StatusFile {
  const [file, ...others] = statusFiles(bed, session);
  assert.ok(file);
  assert.deepEqual(others, []);
  return file;
}
