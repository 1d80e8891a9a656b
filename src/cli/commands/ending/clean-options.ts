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

/** It decides by itself what is safe, so nothing else can be chosen with it. */
export async function onlyDisk(
  app: App,
  options: CleanOptions,
  words: readonly string[],
): Promise<void> {
  const others = ['all', 'sessions', 'orphans', 'pools', 'ownership'] as const;
  const other = others.find((name) => options[name]);
  if (other !== undefined || words.length > 0)
    throw new CoiError(
      'usage',
      `--disk does not go together with ${other === undefined ? 'names' : `--${other}`}`,
      { hint: 'First `coi clean --disk --dry-run`, then clean what you choose.' },
    );
  return (await import('./clean-disk.ts')).cleanDisk(app, options);
}
