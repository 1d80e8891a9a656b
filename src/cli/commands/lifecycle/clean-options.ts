// The flags of `coi clean`.
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';

export interface CleanOptions extends GlobalOptions {
  all?: boolean;
  force?: boolean;
  sessions?: boolean;
  orphans?: boolean;
  pools?: boolean;
  ownership?: boolean;
  disk?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** `--disk` decides itself what is safe to delete, so it cannot be combined with other selections. */
export async function cleanDiskOnly(
  app: App,
  options: CleanOptions,
  words: readonly string[],
): Promise<void> {
  const others = ['all', 'sessions', 'orphans', 'pools', 'ownership'] as const;
  const other = others.find((name) => options[name]);
  if (other !== undefined || words.length > 0)
    throw new CoiError(
      'usage',
      `--disk cannot be combined with ${other === undefined ? 'names' : `--${other}`}`,
      { hint: 'Run `coi clean --disk --dry-run` first, then clean what you choose.' },
    );
  return (await import('./clean-disk.ts')).cleanDisk(app, options);
}
