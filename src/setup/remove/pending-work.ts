// What coid has yet to do for workspaces of sessions that have ended: their guards, owners, set-id files.
import type { SetupHost } from '../../host/install/setup-host.ts';
import { quoted } from '../../names.ts';
import { stateDir } from '../setup-record.ts';

/** Not `mounts` and `ended.json`: nothing of a workspace waits for them. */
const kinds = ['ownership', 'protect', 'set-id'] as const;
const memory = 'ended.json';
const namedMax = 4;

export interface PendingWork {
  readonly kind: (typeof kinds)[number];
  /** Of its file. */
  readonly name: string;
  /** The directory, as it was called when the session began; undefined where the file does not say. */
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
        const said = parseNote(await host.readText(`${stateDir}/${kind}/${name}`));
        const there =
          said.directory !== undefined && (await host.kind(said.directory)) === 'directory';
        return { kind, name, ...said, exists: there };
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
  'set-id': 'setuid programs that the agent may have made in it are not all found',
};

/** `"/home/ann/p" of coi-p-1 (…)`; each directory once for each kind of work. */
export function pendingWorkLines(all: readonly PendingWork[]): string[] {
  const lines = all.map(({ kind, name, directory: place, container, exists: isThere }) => {
    const where = place === undefined ? `${stateDir}/${kind}/${name}` : quoted(place);
    const whose = container === undefined ? '' : ` of ${container}`;
    const gone = place === undefined || isThere ? '' : ', and the directory is not there any more';
    return `${where}${whose} (${workTexts[kind]}${gone})`;
  });
  const each = [...new Set(lines)];
  const more = each.length - namedMax;
  return more > 0 ? [...each.slice(0, namedMax), `${more} more`] : each;
}

/** What to do about them. */
export function pendingWorkHint(all: readonly PendingWork[]): string {
  const gone = all.some(({ exists: isThere }) => !isThere);
  const first = gone
    ? 'Put what was moved or is on another disk back to its place'
    : 'See `coi daemon logs` for what is in the way, and mend it';
  return `${first}, then run this again. Where that is not possible: coi setup --remove --force leaves them as they are.`;
}
