// What of a project's files waits for `coi trust`: of its configuration, and of each profile that could be used in it.
import { lookedUpConfig, placesOf } from '../../../app/configuration.ts';
import type { AppContext } from '../../../app/context.ts';
import { profileNames } from '../../../config/profile-files.ts';
import type { ResolvedConfig, UntrustedSource, Waiting } from '../../../config/resolved-config.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { oneLine } from '../../../printable.ts';

export interface WaitingValues {
  readonly waiting: readonly Waiting[];
  /** The files that they stand in, each once. */
  readonly untrusted: readonly UntrustedSource[];
}

/** With a profile only what waits where that one is used. Throws `config-invalid`, and `failed` where a file changes meanwhile. */
export async function waitingValues(
  app: AppContext,
  options: { readonly workspace?: string; readonly profile?: string },
): Promise<WaitingValues> {
  const found: ResolvedConfig[] = [await lookedUpConfig(app, options)];
  if (options.profile === undefined) found.push(...(await withProfiles(app, options)));
  const waiting = new Map(
    found.flatMap((one) => one.waiting).map((one) => [JSON.stringify(one), one]),
  );
  const untrusted = new Map<string, UntrustedSource>();
  for (const source of found.flatMap((one) => one.untrusted)) {
    const before = untrusted.get(source.path);
    // What is shown would not be what is approved.
    if (before !== undefined && before.digest !== source.digest)
      throw new CoiError('failed', `${source.path} was changed while it was read`, {
        hint: 'Run `coi trust` again.',
      });
    if (!source.approved) untrusted.set(source.path, source);
  }
  return { waiting: [...waiting.values()], untrusted: [...untrusted.values()] };
}

/** One line whatever stands in the file: a project must not draw what is shown before a question. */
export function leftOut(profile: string, { message }: CoiError): string {
  return oneLine(`profile '${profile}' is left out: ${message.replaceAll('\n', '; ')}`);
}

/** Also of the user's own: one may inherit a project's. */
async function withProfiles(
  app: AppContext,
  options: { readonly workspace?: string },
): Promise<ResolvedConfig[]> {
  const names = profileNames(placesOf(app, options), hostFiles).map(({ name }) => name);
  const found: ResolvedConfig[] = [];
  for (const profile of new Set(names)) {
    try {
      found.push(await lookedUpConfig(app, { ...options, profile }));
    } catch (error) {
      if (!(error instanceof CoiError)) throw error;
      app.report.warn(leftOut(profile, error));
    }
  }
  return found;
}
