// The flags `--format` and `--json`.
import type { Command } from 'commander';
import { Option } from 'commander';

export function addFormatOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'output format').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'same as --format json');
}

export function wantsJson({ format, json }: FormatOptions): boolean {
  return json === true || format === 'json';
}

export interface FormatOptions {
  format?: 'text' | 'json';
  json?: boolean;
}
