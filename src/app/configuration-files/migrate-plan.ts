// What files of older versions need, and how it is carried out.
import { basename, dirname } from 'node:path';
import { TomlError } from 'smol-toml';
import type { Moved } from '../../config/migrate.ts';
import { movedText } from '../../config/moved-text.ts';
import { profileNames } from '../../config/profile-files.ts';
import { configMaxBytes } from '../../config/read.ts';
import { CoiError } from '../../errors.ts';
import type { Owner } from '../../host/fs/host-files.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { AppContext } from '../context.ts';
import { placesIn } from '../places.ts';

/** A file of the user's own, which may be a link of the user's, or one of a project, which may not. */
interface Place {
  readonly root: string;
  readonly relative: string;
  readonly own: boolean;
}

/** What becomes of one file. */
interface Plan {
  readonly from: Place;
  /** Where its content goes; its own place if it stays. */
  readonly to: Place;
  /** One line for each key or file. */
  readonly changes: readonly string[];
  readonly byHand: readonly string[];
  readonly text: string;
}

const now = '.coi/config.toml';

export const copySuffix = '.before-migrate';

export function plansFor(app: AppContext, workspace: string): Plan[] {
  const { home } = app.user;
  const own = (relative: string): Place => ({ root: home, relative, own: true });
  const project = (relative: string): Place => ({ root: workspace, relative, own: false });
  const places = placesIn(app, workspace);
  const profiles = profileNames(places, hostFiles).flatMap(({ path }) => {
    if (path.startsWith(`${home}/.coi/`)) return [own(path.slice(home.length + 1))];
    // Those beside the file that $COI_CONFIG names may be anywhere.
    return path.startsWith(`${workspace}/`) ? [project(path.slice(workspace.length + 1))] : [];
  });
  const configs = [own(now), ...(workspace === home ? [] : [project(now)])];
  return [
    oldFile(own('.config/coi/config.toml'), own(now)),
    oldFile(project('.coi.toml'), project(now)),
    systemFile(`${home}/${now}`),
    ...configs.map((place) => file(place, 'config')),
    ...profiles.map((place) => file(place, 'profile')),
  ].filter((plan) => plan !== undefined);
}

/** A file in its place, with keys of an older version. */
function file(place: Place, kind: 'config' | 'profile'): Plan | undefined {
  const text = textOf(place);
  if (text === undefined) return undefined;
  const plan = planned(place, place, text, kind);
  return plan.changes.length + plan.byHand.length === 0 ? undefined : plan;
}

/** A file in a place of an older version. */
function oldFile(from: Place, to: Place): Plan | undefined {
  const text = textOf(from);
  if (text === undefined) return undefined;
  if (textOf(to) !== undefined) {
    const both = `is not read, since ${pathOf(to)} is there too: move into that what you still need, then delete this file`;
    return { from, to, changes: [], byHand: [both], text };
  }
  const plan = planned(from, to, text, 'config');
  return { ...plan, changes: [`moves to ${pathOf(to)}`, ...plan.changes] };
}

/** Of all users: none of them may decide for the others. */
function systemFile(mine: string): Plan | undefined {
  const from: Place = { root: '/', relative: 'etc/coi/config.toml', own: true };
  if (!hostFiles.exists(pathOf(from))) return undefined;
  const why = `is not read: what it says belongs into the file of each user, as ${mine}`;
  return { from, to: from, changes: [], byHand: [why], text: '' };
}

function planned(from: Place, to: Place, text: string, kind: 'config' | 'profile'): Plan {
  const line = ({ key, text: what }: Moved) => `${key} ${what.replace('has moved', 'moves')}`;
  try {
    const { moved, byHand, text: next } = movedText(text, kind);
    return { from, to, changes: moved.map(line), byHand: byHand.map(line), text: next };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return { from, to, changes: [], byHand: ['is no TOML: `coi validate` says where'], text };
  }
}

/** The copy is there before anything is changed, and the new file before the old one is taken away. */
export function carryOut(app: AppContext, { from, to, text }: Plan): void {
  const owner = { uid: app.user.uid, gid: app.user.gid };
  const old = textOf(from) ?? '';
  write({ ...from, relative: from.relative + copySuffix }, old, owner);
  write(to, text, owner);
  if (to !== from) {
    using directory = hostFiles.open(dirname(pathOf(from)));
    directory?.unlink(basename(from.relative));
  }
}

/** Undefined where nothing is. Throws CoiError for what cannot be read. */
function textOf({ root, relative, own }: Place): string | undefined {
  return told(() => {
    using directory = own ? undefined : hostFiles.open(root);
    const limit = { maxBytes: configMaxBytes };
    const content = own
      ? hostFiles.readUserFile(root, relative, limit)
      : directory?.read(relative, limit);
    return content && Buffer.from(content.bytes).toString('utf8');
  });
}

function write({ root, relative, own }: Place, text: string, owner: Owner): void {
  told(() => {
    if (own) {
      hostFiles.changeUserFile(root, relative, () => text, { maxBytes: configMaxBytes, owner });
      return;
    }
    using directory = hostFiles.open(root);
    if (relative.includes('/')) directory?.makeDirectory(dirname(relative), { owner });
    directory?.write(relative, text, { owner, mode: 0o644 });
  });
}

function told<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    const problem = hostFiles.problem(error);
    if (!problem) throw error;
    throw new CoiError('config-invalid', problem.message, { cause: error });
  }
}

export function pathOf({ root, relative }: Place): string {
  return root === '/' ? `/${relative}` : `${root}/${relative}`;
}
