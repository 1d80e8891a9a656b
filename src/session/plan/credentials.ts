// `[[credentials]]`: files of the user that a session gets, besides the agent's own login. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

export interface CredentialSpec {
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
  /** Files of a bundle may be missing. */
  readonly optional: boolean;
}

/** Login files of a program, relative to the home on both sides. */
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

/** Throws `config-invalid` for an unknown bundle, and for an entry that is neither a bundle nor a file. */
export function credentialFiles(
  specs: readonly CredentialSpec[],
  homes: { readonly host: string; readonly guest: string },
): CredentialFile[] {
  return specs.flatMap(({ bundle, host, container, mode }): CredentialFile[] => {
    if (bundle !== undefined && host === undefined && container === undefined) {
      const files = Object.hasOwn(bundles, bundle) ? bundles[bundle] : undefined;
      if (files)
        return files.map((path) => ({
          from: `${homes.host}/${path}`,
          to: `${homes.guest}/${path}`,
          mode: 0o600,
          optional: true,
        }));
      throw new CoiError('config-invalid', `[[credentials]]: unknown bundle ${quoted(bundle)}`, {
        hint: `Available bundles: ${Object.keys(bundles).join(', ')}.`,
      });
    }
    if (bundle === undefined && host && container)
      return [
        { from: host, to: container, mode: Number.parseInt(mode ?? '0600', 8), optional: false },
      ];
    throw new CoiError(
      'config-invalid',
      '[[credentials]] needs either bundle, or host and container',
      {
        hint: 'Set for example bundle = "gh".',
      },
    );
  });
}
