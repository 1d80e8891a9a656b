// Plans and carries out the migration of configuration files of older versions.
import { basename, dirname } from 'node:path';
import { TomlError } from 'smol-toml';
import type { MovedKey } from '../../config/migrate.ts';
import { migrateText } from '../../config/migrate-text.ts';
import { listProfiles } from '../../config/profile-files.ts';
import { configMaxBytes } from '../../config/read.ts';
import { CoiError } from '../../errors.ts';
import type { Owner } from '../../host/fs/host-files.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { configPaths } from '../config-paths.ts';
import type { AppContext } from '../context.ts';

/** A configuration file: the user's own, which may be a link, or a project's, which may not. */
interface ConfigFile {
  readonly root: string;
  readonly relative: string;
  readonly own: boolean;
}

/** The migration of one file. */
interface MigrationPlan {
  readonly from: ConfigFile;
  /** Where its content goes; equals `from` if it stays. */
  readonly to: ConfigFile;
  /** One line for each key or file. */
  readonly changes: readonly string[];
  readonly byHand: readonly string[];
  readonly text: string;
}

const currentPath = '.coi/config.toml';

export const backupSuffix = '.before-migrate';

export function planMigrations(app: AppContext, workspace: string): MigrationPlan[] {
  const { home } = app.user;
  const own = (relative: string): ConfigFile => ({ root: home, relative, own: true });
  const project = (relative: string): ConfigFile => ({ root: workspace, relative, own: false });
  const paths = configPaths(app, workspace);
  const profiles = listProfiles(paths, hostFiles).flatMap(({ path }) => {
    if (path.startsWith(`${home}/.coi/`)) return [own(path.slice(home.length + 1))];
    // Profiles next to the file in $COI_CONFIG may be anywhere.
    return path.startsWith(`${workspace}/`) ? [project(path.slice(workspace.length + 1))] : [];
  });
  const configs = [own(currentPath), ...(workspace === home ? [] : [project(currentPath)])];
  return [
    planOldLocation(own('.config/coi/config.toml'), own(currentPath)),
    planOldLocation(project('.coi.toml'), project(currentPath)),
    planSystemFile(`${home}/${currentPath}`),
    ...configs.map((file) => planCurrent(file, 'config')),
    ...profiles.map((file) => planCurrent(file, 'profile')),
  ].filter((plan) => plan !== undefined);
}

/** A file in the current location, with keys of an older version. */
function planCurrent(file: ConfigFile, kind: 'config' | 'profile'): MigrationPlan | undefined {
  const text = textOf(file);
  if (text === undefined) return undefined;
  const plan = planFile(file, file, text, kind);
  return plan.changes.length + plan.byHand.length === 0 ? undefined : plan;
}

/** A file in the location of an older version. */
function planOldLocation(from: ConfigFile, to: ConfigFile): MigrationPlan | undefined {
  const text = textOf(from);
  if (text === undefined) return undefined;
  if (textOf(to) !== undefined) {
    const both = `is not read, because ${pathOf(to)} exists: move what you still need there, then delete this file`;
    return { from, to, changes: [], byHand: [both], text };
  }
  const plan = planFile(from, to, text, 'config');
  return { ...plan, changes: [`moves to ${pathOf(to)}`, ...plan.changes] };
}

/** The system-wide file: no user may decide for the others. */
function planSystemFile(mine: string): MigrationPlan | undefined {
  const from: ConfigFile = { root: '/', relative: 'etc/coi/config.toml', own: true };
  if (!hostFiles.exists(pathOf(from))) return undefined;
  const why = `is not read: move its settings to the file of each user, for example ${mine}`;
  return { from, to: from, changes: [], byHand: [why], text: '' };
}

function planFile(
  from: ConfigFile,
  to: ConfigFile,
  text: string,
  kind: 'config' | 'profile',
): MigrationPlan {
  const line = ({ key, text: what }: MovedKey) => `${key} ${what.replace('has moved', 'moves')}`;
  try {
    const { moved, byHand, text: next } = migrateText(text, kind);
    return { from, to, changes: moved.map(line), byHand: byHand.map(line), text: next };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return {
      from,
      to,
      changes: [],
      byHand: ['is not valid TOML: run `coi validate` to see where'],
      text,
    };
  }
}

/** Writes a backup before anything is changed, and the new file before the old one is deleted. */
export function migrateFile(app: AppContext, { from, to, text }: MigrationPlan): void {
  const owner = { uid: app.user.uid, gid: app.user.gid };
  const old = textOf(from) ?? '';
  write({ ...from, relative: from.relative + backupSuffix }, old, owner);
  write(to, text, owner);
  if (to !== from) {
    using directory = hostFiles.open(dirname(pathOf(from)));
    directory?.unlink(basename(from.relative));
  }
}

/** Undefined if the file does not exist. Throws CoiError if it cannot be read. */
function textOf({ root, relative, own }: ConfigFile): string | undefined {
  return withConfigError(() => {
    using directory = own ? undefined : hostFiles.open(root);
    const limit = { maxBytes: configMaxBytes };
    const content = own
      ? hostFiles.readUserFile(root, relative, limit)
      : directory?.read(relative, limit);
    return content && Buffer.from(content.bytes).toString('utf8');
  });
}

function write({ root, relative, own }: ConfigFile, text: string, owner: Owner): void {
  withConfigError(() => {
    if (own) {
      hostFiles.changeUserFile(root, relative, () => text, { maxBytes: configMaxBytes, owner });
      return;
    }
    using directory = hostFiles.open(root);
    if (relative.includes('/')) directory?.makeDirectory(dirname(relative), { owner });
    directory?.write(relative, text, { owner, mode: 0o644 });
  });
}

function withConfigError<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    const problem = hostFiles.asFileError(error);
    if (!problem) throw error;
    throw new CoiError('config-invalid', problem.message, { cause: error });
  }
}

export function pathOf({ root, relative }: ConfigFile): string {
  return root === '/' ? `/${relative}` : `${root}/${relative}`;
}
