// What a piece of work left on the machine: a list of everything before, the same after, and the difference.
import { lstat, readdir } from 'node:fs/promises';
import { placesOf } from '../../src/daemon/network/table-names.ts';
import type { Incus } from '../../src/incus/client.ts';
import type { Instance } from '../../src/incus/shapes.ts';
import { sessionRecord } from '../../src/session/record/instance-record.ts';
import { mustRun } from './command.ts';
import { mountPointsUnder } from './mounts.ts';

export interface Scope {
  /** Instances of other prefixes, their interfaces and their mounts belong to somebody else's test. */
  readonly prefix: string;
  /** Of the coid that the test uses. */
  readonly runDir: string;
  /** Directories whose every entry counts: homes, workspaces. */
  readonly directories?: readonly string[];
  /** Paths below those that may come and go, for example `.cache`. */
  readonly ignore?: RegExp;
}

/** One line for each thing: `instance NAME`, `interface NAME`, `mount PATH`, `table FAMILY NAME`, `file PATH`. */
export type Inventory = readonly string[];

export async function takeInventory(incus: Incus, scope: Scope): Promise<Inventory> {
  // Others come and go meanwhile: what they had before or have after is theirs.
  const earlier = await incus.instances();
  const allPorts = await readdir('/sys/class/net');
  const allMounts = await mountPointsUnder(scope.runDir);
  const instances = await incus.instances();
  const isOwn = ({ name }: Instance) => name.startsWith(scope.prefix);
  const own = instances.filter(isOwn);
  const foreign = [...earlier, ...instances].filter((instance) => !isOwn(instance));
  const [ownPorts, foreignPorts] = [own, foreign].map((all) => new Set(all.flatMap(interfaces)));
  const foreignMounts = foreign.map(
    (instance) => `${scope.runDir}/mounts/${sessionRecord(instance.config)?.mounts.id}`,
  );
  // Of all others those that have the form of coid's: tests of the network and Incus itself make some of any name.
  const ports = allPorts.filter(
    (name) => ownPorts?.has(name) || (/^coi[0-9a-f]{10}$/.test(name) && !foreignPorts?.has(name)),
  );
  const mounts = allMounts.filter((path) => !foreignMounts.some((id) => path.startsWith(id)));
  const files = await Promise.all((scope.directories ?? []).map((directory) => entries(directory)));
  return [
    ...own.map(({ name, status }) => `instance ${name} ${status}`),
    ...ports.map((name) => `interface ${name}`),
    ...mounts.map((path) => `mount ${path}`),
    ...(await tables(scope.runDir)).map((table) => `table ${table}`),
    ...files
      .flat()
      .filter((path) => !scope.ignore?.test(path))
      .map((path) => `file ${path}`),
  ].sort();
}

/** `+ thing` for what came and `- thing` for what went. */
export function leftovers(before: Inventory, after: Inventory): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  const came = after.filter((line) => !old.has(line)).map((line) => `+ ${line}`);
  const went = before.filter((line) => !now.has(line)).map((line) => `- ${line}`);
  return [...came, ...went];
}

function interfaces({ config, expanded_devices: devices }: Instance): string[] {
  const fixed = Object.values(devices).map((device) => device['host_name']);
  const chosen = Object.entries(config).filter(([key]) => /^volatile\..*\.host_name$/.test(key));
  return [...fixed, ...chosen.map(([, name]) => name)].filter((name) => name !== undefined);
}

async function tables(runDir: string): Promise<string[]> {
  const { stdout } = await mustRun(['nft', 'list', 'tables']);
  const own = ` ${placesOf(runDir).table}`;
  return stdout
    .split('\n')
    .filter((line) => line.endsWith(own))
    .map((line) => line.replace(/^table /, ''));
}

/** Every entry below a directory, links not followed; a directory that is not there has none. */
async function entries(directory: string): Promise<string[]> {
  const found = await lstat(directory).catch(() => undefined);
  if (!found?.isDirectory()) return [];
  const names = await readdir(directory, { withFileTypes: true });
  const below = await Promise.all(
    names.map(async (entry) => {
      const path = `${directory}/${entry.name}`;
      return entry.isDirectory() ? [path, ...(await entries(path))] : [path];
    }),
  );
  return below.flat();
}
