// `coi images`: alias of `coi image list`.
import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { registerList } from './image.ts';

export function register(command: Command, app: App): void {
  registerList(command, app, () => mergedOptions<GlobalOptions>(command));
}
