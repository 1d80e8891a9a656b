// What is wrong with the configuration, before a command goes on with it.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { groupedWarnings } from '../../config/trust/waiting.ts';
import type { App } from '../app.ts';

export function tellWarnings({ io }: App, resolved: ResolvedConfig): void {
  if (resolved.warnings.length === 0) return;
  for (const warning of io.brief ? groupedWarnings(resolved) : resolved.warnings) io.warn(warning);
}
