// Warnings about the configuration.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { groupedWarnings } from '../../config/trust/pending.ts';
import type { App } from '../app.ts';

export function reportWarnings({ io }: App, resolved: ResolvedConfig): void {
  if (resolved.warnings.length === 0) return;
  for (const warning of io.briefStderr ? groupedWarnings(resolved) : resolved.warnings)
    io.warn(warning);
}
