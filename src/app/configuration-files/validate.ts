// Configuration and profiles, judged without being used.
import { profileNames } from '../../config/profile-files.ts';
import { configMaxBytes, configSource } from '../../config/read.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import type { ConfigurationOf } from '../configuration.ts';
import { lookedUpConfig, placesOf } from '../configuration.ts';
import type { AppContext } from '../context.ts';

export interface Verdict {
  readonly what: string;
  readonly valid: boolean;
  /** One problem a line. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

export async function everything(
  app: AppContext,
  of: ConfigurationOf,
  kind: 'profile' | 'config' | undefined,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  if (kind !== 'profile') verdicts.push(await resolved(app, of, undefined));
  if (kind === 'config') return verdicts;
  for (const { name } of profileNames(placesOf(app, of), hostFiles))
    verdicts.push(await resolved(app, of, name));
  return verdicts;
}

export async function one(
  app: AppContext,
  of: ConfigurationOf,
  kind: 'profile' | 'config',
  target: string,
): Promise<Verdict> {
  const path = workspacePath(app.cwd, target);
  const isName = kind === 'profile' && !target.includes('/') && !target.endsWith('.toml');
  if (isName) return resolved(app, of, target);
  return judged(target, async () => {
    const dir = path.slice(0, path.lastIndexOf('/')) || '/';
    using directory = hostFiles.open(dir);
    const content = directory?.read(path.slice(dir.length).replace(/^\//, ''), {
      maxBytes: configMaxBytes,
    });
    if (!content) throw new CoiError('config-invalid', `${target} does not exist`);
    const place = { home: app.user.home, dir, workspace: workspacePath(app.cwd, '.') };
    configSource({ path: target, bytes: content.bytes, kind, trusted: true, place });
    return [];
  });
}

function resolved(
  app: AppContext,
  of: ConfigurationOf,
  profile: string | undefined,
): Promise<Verdict> {
  const what = profile === undefined ? 'configuration' : `profile ${profile}`;
  return judged(what, async () => {
    const given = profile ?? of.profile;
    const { warnings } = await lookedUpConfig(app, {
      ...(of.workspace === undefined ? {} : { workspace: of.workspace }),
      ...(given === undefined ? {} : { profile: given }),
    });
    return warnings;
  });
}

async function judged(what: string, check: () => Promise<readonly string[]>): Promise<Verdict> {
  try {
    return { what, valid: true, errors: [], warnings: await check() };
  } catch (error) {
    const problem = hostFiles.problem(error);
    if (!problem && !(error instanceof CoiError)) throw error;
    const text = problem?.message ?? (error instanceof CoiError ? error.message : '');
    const hint = error instanceof CoiError && error.hint ? [error.hint] : [];
    return { what, valid: false, errors: [...text.split('\n'), ...hint], warnings: [] };
  }
}
