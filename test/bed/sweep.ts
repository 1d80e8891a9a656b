// Removes objects of failed or killed tests.
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { stopDaemon } from '../../src/daemon/control.ts';
import { tableNames } from '../../src/daemon/network/table-names.ts';
import type { Incus } from '../../src/incus/client.ts';
import { mustRun, runCommand } from './command.ts';
import { openRealIncus, removeInstance } from './incus.ts';
import { mountPointsUnder } from './mounts.ts';
import { testPrefix } from './prefix.ts';

const endMs = 30_000;

/** Deletes all instances with a prefix (`coit-…`), including running ones. */
export async function sweepInstances(incus: Incus, prefix: string): Promise<string[]> {
  if (!prefix.startsWith(`${testPrefix}-`))
    throw new Error(`${prefix} is not the prefix of a test`);
  const names = (await incus.instanceNames()).filter((name) => name.startsWith(prefix));
  await Promise.all(names.map((name) => removeInstance(incus, name)));
  return names;
}

/** Unmounts everything below the run directory of a stopped test coid, and removes both its directories. */
export async function sweepCoid(runDir: string, stateDir: string): Promise<void> {
  for (const directory of [runDir, stateDir]) {
    if (!/^\/(run|var\/lib)\/coi-[a-z0-9-]+$/.test(directory))
      throw new Error(`${directory} is not a directory of a test's coid`);
  }
  for (const point of (await mountPointsUnder(runDir)).toReversed())
    await mustRun(['umount', point]);
  if ((await mountPointsUnder(runDir)).length > 0)
    throw new Error(`mounts are left below ${runDir}`);
  await removeRules(runDir);
  // --one-file-system: a mount made meanwhile must not be emptied.
  await mustRun(['rm', '-rf', '--one-file-system', runDir, stateDir]);
}

/** Cleans up interrupted tests: first their daemons, which could create more, then their instances. */
export async function sweepPrefixes(prefixes: readonly string[]): Promise<void> {
  const incus = await openRealIncus();
  const runDirs = new Set(prefixes.map((prefix) => `coi-${prefix}coid`));
  const there = (await readdir('/run')).filter((name) => runDirs.has(name));
  try {
    await Promise.allSettled(
      there.map((name) => stopDaemon({ COI_RUN_DIR: `/run/${name}` }, AbortSignal.timeout(endMs))),
    );
    await Promise.allSettled(prefixes.map((prefix) => sweepInstances(incus, prefix)));
    await Promise.allSettled(there.map((name) => sweepCoid(`/run/${name}`, `/var/lib/${name}`)));
  } finally {
    incus.close();
  }
}

/** A killed coid keeps its rules active by design. */
async function removeRules(runDir: string): Promise<void> {
  const { table } = tableNames(runDir);
  const commands = ['bridge', 'inet'].map(
    (family) => `add table ${family} ${table}; delete table ${family} ${table}`,
  );
  await mustRun(['nft', commands.join('; ')]);
}

/**
 * Deletes the tables of coids whose run directories are gone: their rules would refuse connections of any later session
 * that draws one of their addresses.
 */
async function removeOrphanRules(): Promise<void> {
  const runDirs = (await readdir('/run')).map((name) => tableNames(`/run/${name}`).table);
  const { stdout } = await mustRun(['nft', 'list', 'tables']);
  const orphans = [...stdout.matchAll(/^table (bridge|inet) (coi_[0-9a-f]{8})$/gm)].filter(
    ([, , table = '']) => !runDirs.includes(table),
  );
  for (const [, family = '', table = ''] of orphans)
    await mustRun(['nft', 'delete', 'table', family, table]);
}

/**
 * Removes leftovers of dead test runs: instances, accounts, rules and directories under /tmp and /var/tmp. Use it only if no
 * other test run is active, since it removes their objects too.
 */
export async function sweepMachine(incus: Incus): Promise<void> {
  await sweepInstances(incus, `${testPrefix}-`);
  const accounts = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':')[0] ?? '');
  for (const name of accounts.filter((account) =>
    new RegExp(`^${testPrefix}[0-9a-f]{8}$`).test(account),
  )) {
    await runCommand(['userdel', name]);
  }
  for (const directory of ['/tmp', '/var/tmp']) {
    for (const name of await readdir(directory)) {
      if (!name.startsWith(`${testPrefix}-`)) continue;
      const path = `${directory}/${name}`;
      if ((await mountPointsUnder(path)).length === 0)
        await rm(path, { recursive: true, force: true });
    }
  }
  for (const name of await readdir('/run')) {
    if (name.startsWith(`coi-${testPrefix}-`)) await sweepCoid(`/run/${name}`, `/var/lib/${name}`);
  }
  await removeOrphanRules();
}

/** Removes a directory only if it is empty. */
export async function removeEmpty(path: string): Promise<void> {
  await rmdir(path).catch(() => undefined);
}
