// `coi __watch-sessions`: coid runs it as the user who has sessions, and lists them on its stdin.
import type { Command } from 'commander';
import { runWatcher } from '../../../app/events/run-watcher.ts';
import type { App } from '../../app.ts';

export function register(command: Command, app: App): void {
  command.action(() => runWatcher(app, app.io.stdin));
}
