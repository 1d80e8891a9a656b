// Validates configuration and profiles without using them.
import { listProfiles } from '../../config/profile-files.ts';
import { configMaxBytes, parseConfig } from '../../config/read.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import type { ConfigScope } from '../configuration.ts';
import { configPathsFor, readConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';

export interface Verdict {
  readonly what: string;
  readonly valid: boolean;
  /** One problem a line. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

export async function validateAll(
  app: AppContext,
  of: ConfigScope,
  kind: 'profile' | 'config' | undefined,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  if (kind !== 'profile') verdicts.push(await validateResolved(app, of, undefined));
  if (kind === 'config') return verdicts;
  for (const { name } of listProfiles(configPathsFor(app, of), hostFiles))
    verdicts.push(await validateResolved(app, of, name));
  return verdicts;
}

export async function validateOne(
  app: AppContext,
  of: ConfigScope,
  kind: 'profile' | 'config',
  target: string,
): Promise<Verdict> {
  const path = workspacePath(app.cwd, target);
  const isName = kind === 'profile' && !target.includes('/') && !target.endsWith('.toml');
  if (isName) return validateResolved(app, of, target);
  return runCheck(target, async () => {
    const dir = path.slice(0, path.lastIndexOf('/')) || '/';
    using directory = hostFiles.open(dir);
    const content = directory?.read(path.slice(dir.length).replace(/^\//, ''), {
      maxBytes: configMaxBytes,
    });
    if (!content) throw new CoiError('config-invalid', `${target} does not exist`);
    const place = { home: app.user.home, dir, workspace: workspacePath(app.cwd, '.') };
    parseConfig({ path: target, bytes: content.bytes, kind, trusted: true, bases: place });
    return [];
  });
}

function validateResolved(
  app: AppContext,
  of: ConfigScope,
  profile: string | undefined,
): Promise<Verdict> {
  const what = profile === undefined ? 'configuration' : `profile ${profile}`;
  return runCheck(what, async () => {
    const given = profile ?? of.profile;
    const { warnings } = await readConfig(app, {
      ...(of.workspace === undefined ? {} : { workspace: of.workspace }),
      ...(given === undefined ? {} : { profile: given }),
    });
    return warnings;
  });
}

async function runCheck(what: string, check: () => Promise<readonly string[]>): Promise<Verdict> {
  try {
    return { what, valid: true, errors: [], warnings: await check() };
  } catch (error) {
    const problem = hostFiles.asFileError(error);
    if (!problem && !(error instanceof CoiError)) throw error;
    const text = problem?.message ?? (error instanceof CoiError ? error.message : '');
    const hint = error instanceof CoiError && error.hint ? [error.hint] : [];
    return { what, valid: false, errors: [...text.split('\n'), ...hint], warnings: [] };
  }
}
