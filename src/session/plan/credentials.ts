// `[[credentials]]`: which files of the user's a session gets besides the agent's own login. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

export interface CredentialWish {
  readonly bundle?: string | undefined;
  readonly host?: string | undefined;
  readonly container?: string | undefined;
  readonly mode?: string | undefined;
}

export interface CredentialFile {
  /** On the host, absolute. */
  readonly from: string;
  /** In the container, absolute. */
  readonly to: string;
  readonly mode: number;
  /** One of a bundle may be missing. */
  readonly optional: boolean;
}

/** Files of a program's login, relative to the home on either side. */
const bundles: Readonly<Record<string, readonly string[]>> = {
  aws: ['.aws/credentials', '.aws/config'],
  cargo: ['.cargo/credentials.toml'],
  docker: ['.docker/config.json'],
  gcloud: ['.config/gcloud/application_default_credentials.json'],
  gh: ['.config/gh/hosts.yml', '.config/gh/config.yml'],
  git: ['.git-credentials'],
  kube: ['.kube/config'],
  netrc: ['.netrc'],
  npm: ['.npmrc'],
  pypi: ['.pypirc'],
};

/** Throws `config-invalid` for an unknown bundle, and for one that is neither bundle nor file. */
export function credentialFiles(
  wishes: readonly CredentialWish[],
  homes: { readonly host: string; readonly guest: string },
): CredentialFile[] {
  return wishes.flatMap(({ bundle, host, container, mode }): CredentialFile[] => {
    if (bundle !== undefined && host === undefined && container === undefined) {
      const files = Object.hasOwn(bundles, bundle) ? bundles[bundle] : undefined;
      if (files)
        return files.map((path) => ({
          from: `${homes.host}/${path}`,
          to: `${homes.guest}/${path}`,
          mode: 0o600,
          optional: true,
        }));
      throw new CoiError(
        'config-invalid',
        `[[credentials]]: there is no bundle ${quoted(bundle)}`,
        {
          hint: `Available bundles: ${Object.keys(bundles).join(', ')}.`,
        },
      );
    }
    if (bundle === undefined && host && container)
      return [
        { from: host, to: container, mode: Number.parseInt(mode ?? '0600', 8), optional: false },
      ];
    throw new CoiError(
      'config-invalid',
      '[[credentials]] needs either bundle, or host and container',
      {
        hint: 'For example: bundle = "gh".',
      },
    );
  });
}
