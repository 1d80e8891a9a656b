// The environment of the bench: a test bed, the bundled floors, and the deletion events of Incus.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { addressText, parseAddress } from '../src/addresses/ipv4.ts';
import type { EventStream } from '../src/incus/client.ts';
import { type Bed, makeBed, testImage, type Who } from '../test/bed/bed.ts';
import type { CommandResult } from '../test/bed/command.ts';
import { testPrefix } from '../test/bed/prefix.ts';
import type { Screen } from '../test/bed/screen.ts';
import type { FloorTask } from './floor/instance.ts';

export interface Stage extends AsyncDisposable {
  readonly bed: Bed;
  readonly image: string;
  /** Runs a floor and waits for its end, as the user who runs coi. */
  floor(script: string, task: FloorTask | undefined, ...args: string[]): Promise<CommandResult>;
  /** Runs a floor on a terminal. */
  floorScreen(script: string, task: FloorTask | undefined, ...args: string[]): Screen;
  /** Runs any other program as that user; rejects if it fails. */
  runOther(argv: readonly string[]): Promise<CommandResult>;
  /** A task with its own name, address and state directories. `index` (0 to 9) distinguishes concurrent tasks. */
  task(index?: number): Promise<FloorTask>;
  /** The moment (`performance.now()`) at which Incus reported the instance deleted, after `sinceMs`; waits for it. */
  gone(name: string, sinceMs: number, limitMs?: number): Promise<number>;
  /** Removes all instances of the bed. */
  clear(): Promise<void>;
}

const floors = ['shell', 'background', 'run', 'attach', 'kill', 'list', 'empty'];
const goneLimitMs = 15_000;

export async function makeStage(
  who: Who,
  image = process.env['COI_BENCH_IMAGE'] ?? testImage,
): Promise<Stage> {
  await using undo = new AsyncDisposableStack();
  const bed = undo.use(await makeBed({ who }));
  const directory = undo.adopt(await mkdtemp(`/tmp/${testPrefix}-bench-`), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  await chmod(directory, 0o755);
  await bundle(directory);
  const watch = watchDeletions(bed.incus.events(['lifecycle']));
  undo.defer(watch.close);
  await watch.ready;
  const endpoint = await findEndpoints(bed);
  const argv = (script: string, args: readonly string[]) => [
    process.execPath,
    `${directory}/${script}.mjs`,
    ...args,
  ];
  const env = (task: FloorTask | undefined) =>
    task === undefined ? {} : { COI_FLOOR: JSON.stringify(task) };
  let made = 0;
  const kept = undo.move();
  return {
    bed,
    image,
    floor: async (script, task, ...args) =>
      succeeded(await bed.user.run(argv(script, args), { env: env(task) })),
    floorScreen: (script, task, ...args) => bed.command(argv(script, args), { env: env(task) }),
    runOther: async (command) => succeeded(await bed.user.run(command)),
    task: async (index = 0) => {
      made += 1;
      const number = made;
      const state = `${directory}/state-${number}`;
      for (const part of ['', '/a', '/b']) {
        await mkdir(state + part);
        // A plain bind mount: the agent's user has another id on the host.
        await chmod(state + part, 0o777);
      }
      const name = `${bed.prefix}floor${number}`;
      return {
        ...endpoint(index),
        name,
        image,
        workspace: bed.workspace.path,
        state: { '.claude': `${state}/a`, '.local/share/floor': `${state}/b` },
        tool: ['dummy'],
      };
    },
    gone: watch.gone,
    clear: async () => {
      const { sweepInstances } = await import('../test/bed/sweep.ts');
      await sweepInstances(bed.incus, bed.prefix);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function succeeded(result: CommandResult): CommandResult {
  if (result.status !== 0)
    throw new Error(`status ${result.status}: ${result.stdout}${result.stderr}`);
  return result;
}

/** Bundles the floors like coi, so that both start in the same way. */
async function bundle(directory: string): Promise<void> {
  await build({
    entryPoints: floors.map((name) =>
      fileURLToPath(new URL(`./floor/${name}.ts`, import.meta.url)),
    ),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    external: ['bufferutil', 'utf-8-validate'],
    banner: {
      js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
    },
    logLevel: 'warning',
  });
}

interface DeletionWatch {
  readonly ready: Promise<void>;
  gone(name: string, sinceMs: number, limitMs?: number): Promise<number>;
  close(): void;
}

function watchDeletions(events: EventStream): DeletionWatch {
  const deletedMs = new Map<string, number>();
  const waiting = new Map<string, (atMs: number) => void>();
  const read = async () => {
    for await (const event of events) {
      if (event.type !== 'lifecycle' || event.metadata.action !== 'instance-deleted') continue;
      const name = event.metadata.source.split('/').at(-1) ?? '';
      deletedMs.set(name, performance.now());
      waiting.get(name)?.(performance.now());
    }
  };
  // If the stream is lost, waits end at their time limit.
  read().catch(() => undefined);
  const gone = (name: string, sinceMs: number, limitMs = goneLimitMs) =>
    new Promise<number>((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`${name} is not deleted after ${limitMs} ms`)),
        limitMs,
      );
      const settle = (atMs: number) => {
        clearTimeout(limit);
        waiting.delete(name);
        resolve(atMs);
      };
      const already = deletedMs.get(name);
      // Session names are reused: an earlier deletion is not this one's.
      if (already === undefined || already < sinceMs) waiting.set(name, settle);
      else settle(already);
    });
  return { ready: events.ready, gone, close: () => events.close() };
}

type Endpoint = Pick<FloorTask, 'bridge' | 'address' | 'prefixLength' | 'gateway'>;

/** The last addresses before the bridge's DHCP range: coid allocates the first ones. */
async function findEndpoints(bed: Bed): Promise<(index: number) => Endpoint> {
  const bridge = (await bed.coid.status())?.bridge ?? '';
  const config = (await bed.incus.network(bridge))?.config ?? {};
  const [gateway = '', prefixLength] = (config['ipv4.address'] ?? '').split('/');
  const first = (config['ipv4.dhcp.ranges'] ?? '').split('-')[0] ?? '';
  const end = parseAddress(first) ?? 0;
  return (index) => ({
    bridge,
    gateway,
    prefixLength: Number(prefixLength),
    address: addressText(end - 20 + index),
  });
}
