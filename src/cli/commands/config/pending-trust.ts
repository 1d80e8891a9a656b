// Settings of a project that wait for `coi trust`: of its configuration, and of each profile that could be used in it.
import { configPathsFor, readConfig } from '../../../app/configuration.ts';
import type { AppContext } from '../../../app/context.ts';
import { listProfiles } from '../../../config/profile-files.ts';
import type {
  PendingValue,
  ResolvedConfig,
  UntrustedSource,
} from '../../../config/resolved-config.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { oneLine } from '../../../printable.ts';

export interface PendingSettings {
  readonly waiting: readonly PendingValue[];
  /** The files that contain them, each once. */
  readonly untrusted: readonly UntrustedSource[];
}

/** With a profile, only the settings that apply with it. Throws `config-invalid`, and `failed` if a file changes meanwhile. */
export async function pendingSettings(
  app: AppContext,
  options: { readonly workspace?: string; readonly profile?: string },
): Promise<PendingSettings> {
  const found: ResolvedConfig[] = [await readConfig(app, options)];
  if (options.profile === undefined) found.push(...(await resolveProfiles(app, options)));
  const waiting = new Map(
    found.flatMap((one) => one.waiting).map((one) => [JSON.stringify(one), one]),
  );
  const untrusted = new Map<string, UntrustedSource>();
  for (const source of found.flatMap((one) => one.untrusted)) {
    const before = untrusted.get(source.path);
    // Otherwise the approved content would differ from what was shown.
    if (before !== undefined && before.digest !== source.digest)
      throw new CoiError('failed', `${source.path} was changed while it was read`, {
        hint: 'Run `coi trust` again.',
      });
    if (!source.approved) untrusted.set(source.path, source);
  }
  return { waiting: [...waiting.values()], untrusted: [...untrusted.values()] };
}

/** One line, whatever the file contains: a project must not control the text above a question. */
export function skippedProfileText(profile: string, { message }: CoiError): string {
  return oneLine(`profile '${profile}' skipped: ${message.replaceAll('\n', '; ')}`);
}

/** Includes the user's own profiles: one may inherit from a project's. */
async function resolveProfiles(
  app: AppContext,
  options: { readonly workspace?: string },
): Promise<ResolvedConfig[]> {
  const names = listProfiles(configPathsFor(app, options), hostFiles).map(({ name }) => name);
  const found: ResolvedConfig[] = [];
  for (const profile of new Set(names)) {
    try {
      found.push(await readConfig(app, { ...options, profile }));
    } catch (error) {
      if (!(error instanceof CoiError)) throw error;
      app.report.warn(skippedProfileText(profile, error));
    }
  }
  return found;
}
