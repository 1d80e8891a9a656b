// tmux commands that set the appearance of a session's tmux; start.sh and attach.sh run them. Pure.
import { posix } from 'node:path';

export interface TmuxAppearance {
  readonly alias: string | undefined;
  /** The workspace on the host; undefined in a container that coi did not create. */
  readonly workspace: string | undefined;
  readonly slot: number | undefined;
  /** Name of the agent; undefined if there is none. */
  readonly tool: string | undefined;
  readonly container: string;
  /** A key in tmux notation; undefined keeps the image's prefix. */
  readonly prefix?: string | undefined;
  /** Undefined keeps the image's setting. */
  readonly mouse?: boolean | undefined;
  /** The prefix of the user's own tmux, if coi runs in one. */
  readonly outerPrefix?: string | undefined;
}

/** The default prefix of tmux, which coi's images keep. */
export const defaultPrefix = 'C-b';

const nameMax = 30;

/** A short name of the session: `shop-1 claude`. Contains nothing that tmux would interpret. */
export function statusName({ alias, workspace, slot, tool, container }: TmuxAppearance): string {
  const project = plainName(alias ?? (workspace === undefined ? '' : posix.basename(workspace)));
  const name = project === '' ? plainName(container) : project;
  return [slot === undefined ? name : `${name}-${slot}`, ...(tool ? [plainName(tool)] : [])].join(
    ' ',
  );
}

/**
 * All commands in one string. A custom status line is not changed. agent.sh sets `@coi_ended`. The name is the value of an
 * option, so tmux does not expand it.
 */
export function appearanceCommands(look: TmuxAppearance): string {
  const { prefix, mouse, outerPrefix } = look;
  return [
    `set-option -g @coi_name '${statusName(look)}'`,
    `if-shell -F '#{==:#{status-left-length},10}' 'set-option -g status-left "[#{@coi_name}#{?@coi_ended,: ended,}] #{@coi_leave}" ; set-option -g status-left-length 90'`,
    ...(prefix === undefined
      ? []
      : [`set-option -g prefix '${prefix}'`, `bind-key '${prefix}' send-prefix`]),
    ...(mouse === undefined ? [] : [`set-option -g mouse ${mouse ? 'on' : 'off'}`]),
    ...leaveCommands(outerPrefix),
  ].join(' ; ');
}

/** Shown in the status line: a message would disappear with the first response of the outer terminal. */
function leaveCommands(outer: string | undefined): string[] {
  const off = 'set-option -g @coi_leave ""';
  if (outer === undefined) return [off];
  const key = readableKey(outer);
  return [
    `if-shell -F '#{==:#{prefix},${outer}}' 'set-option -g @coi_leave "${key} ${key} d detaches "' '${off}'`,
  ];
}

/** The hint if the session's tmux and the user's own have the same prefix. */
export function nestedHint(prefix: string): string {
  const key = readableKey(prefix);
  return `Your own tmux also has the prefix ${key}: ${key} ${key} d detaches from the session, ${key} d from yours.`;
}

/** A key as people write it, such as Ctrl-b. */
function readableKey(key: string): string {
  return key.replace(/^C-/, 'Ctrl-').replace(/^M-/, 'Alt-');
}

/** Only letters and digits of any script, and `.`, `_`, `-`. */
function plainName(text: string): string {
  const parts = text.normalize('NFC').replace(/[^\p{L}\p{N}._-]+/gu, '-');
  return [...parts.replace(/^-+|-+$/g, '')].slice(0, nameMax).join('');
}
