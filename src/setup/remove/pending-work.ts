// coid's pending work for workspaces of ended sessions: guards, file owners, setuid files.
import type { SetupHost } from '../../host/install/setup-host.ts';
import { quoted } from '../../names.ts';
import { stateDir } from '../setup-record.ts';

/** Without `mounts` and `ended.json`, on which no workspace depends. */
const kinds = ['ownership', 'protect', 'set-id'] as const;
const memory = 'ended.json';
const namedMax = 4;

export interface PendingWork {
  readonly kind: (typeof kinds)[number];
  /** Name of its file. */
  readonly name: string;
  /** The workspace, by its path when the session began; undefined if the file does not name it. */
  readonly directory: string | undefined;
  readonly container: string | undefined;
  readonly exists: boolean;
}

export async function readPendingWork(
  host: Pick<SetupHost, 'names' | 'readText' | 'kind'>,
): Promise<PendingWork[]> {
  const found = kinds.map(async (kind) => {
    const names = (await host.names(`${stateDir}/${kind}`)).filter((name) => name !== memory);
    return Promise.all(
      names.map(async (name): Promise<PendingWork> => {
        const note = parseNote(await host.readText(`${stateDir}/${kind}/${name}`));
        const exists =
          note.directory !== undefined && (await host.kind(note.directory)) === 'directory';
        return { kind, name, ...note, exists };
      }),
    );
  });
  return (await Promise.all(found)).flat();
}

/** The three kinds of notes name the workspace under different keys. */
export function parseNote(text: string | undefined): Pick<PendingWork, 'directory' | 'container'> {
  try {
    const note = JSON.parse(text ?? '') as Record<string, unknown>;
    const [source] = Array.isArray(note['sources']) ? note['sources'] : [];
    const words = [note['root'], note['workspace'], source];
    const directory = words.find((one) => typeof one === 'string' && one.startsWith('/'));
    const { container } = note;
    return {
      directory: directory as string | undefined,
      container: typeof container === 'string' ? container : undefined,
    };
  } catch {
    return { directory: undefined, container: undefined };
  }
}

const workTexts: Readonly<Record<PendingWork['kind'], string>> = {
  ownership: 'files in it may still belong to ids of the container',
  protect: 'its protected files still have the guard',
  'set-id': 'setuid programs that the agent may have created in it are not all found',
};

/** `"/home/ann/p" of coi-p-1 (…)`; each directory once for each kind of work. */
export function pendingWorkLines(all: readonly PendingWork[]): string[] {
  const lines = all.map(({ kind, name, directory, container, exists }) => {
    const where = directory === undefined ? `${stateDir}/${kind}/${name}` : quoted(directory);
    const whose = container === undefined ? '' : ` of ${container}`;
    const gone = directory === undefined || exists ? '' : ', and the directory no longer exists';
    return `${where}${whose} (${workTexts[kind]}${gone})`;
  });
  const each = [...new Set(lines)];
  const more = each.length - namedMax;
  return more > 0 ? [...each.slice(0, namedMax), `${more} more`] : each;
}

/** What to do about them. */
export function pendingWorkHint(all: readonly PendingWork[]): string {
  const gone = all.some(({ exists }) => !exists);
  const first = gone
    ? 'Move or mount the missing directories back to their paths'
    : 'See `coi daemon logs` for the cause and fix it';
  return `${first}, then run this again. If that is not possible, coi setup --remove --force leaves them as they are.`;
}
