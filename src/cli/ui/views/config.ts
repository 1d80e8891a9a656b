// The configuration as text (lines of TOML with the origin as a comment) and as JSON. Pure.
import type { KeyName } from '../../../config/keys/table.ts';
import type { Origin } from '../../../config/origin.ts';
import type { ResolvedConfig } from '../../../config/resolved-config.ts';
import { oneLine } from '../../../printable.ts';
import type { Style } from '../style.ts';

export function configText(
  { settings, origins }: ResolvedConfig,
  names: readonly KeyName[],
  style: Style,
  words: ConfigFormat,
): string[] {
  const rows = names.map(
    (name) =>
      [
        `${name} = ${oneLine(valueText(words.value(name, settings[name])))}`,
        origins[name].map(words.origin).join(', '),
      ] as const,
  );
  const width = Math.min(60, Math.max(...rows.map(([text]) => text.length)));
  return rows.map(
    ([text, origin]) => `${text.padEnd(width)}  ${style.dim(`# ${oneLine(origin)}`)}`,
  );
}

export function configJson(
  { settings, origins }: ResolvedConfig,
  names: readonly KeyName[],
  words: ConfigFormat,
): unknown {
  return Object.fromEntries(
    names.map((name) => [
      name,
      { value: words.value(name, settings[name]) ?? null, origin: origins[name].map(words.origin) },
    ]),
  );
}

/** Formats values and origins. */
export interface ConfigFormat {
  readonly value: (name: KeyName, value: unknown) => unknown;
  readonly origin: (origin: Origin) => string;
}

function valueText(value: unknown): string {
  return value === undefined ? '(not set)' : JSON.stringify(value);
}
