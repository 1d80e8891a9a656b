// How the tmux of a session shows itself, as commands of tmux that both scripts run after it is there. Pure.
import { posix } from 'node:path';

export interface TmuxLook {
  readonly alias: string | undefined;
  /** The workspace on the host; undefined in a container that coi did not make. */
  readonly workspace: string | undefined;
  readonly slot: number | undefined;
  /** Name of the agent; undefined where there is none. */
  readonly tool: string | undefined;
  readonly container: string;
  /** A key as tmux spells it; undefined leaves the image's. */
  readonly prefix?: string | undefined;
  /** Undefined leaves it as the image has it. */
  readonly mouse?: boolean | undefined;
  /** The prefix of the user's own tmux, where coi runs in one. */
  readonly outerPrefix?: string | undefined;
}

/** What tmux has without configuration, and images of coi keep. */
export const usualPrefix = 'C-b';

const nameMax = 30;

/** Which session it is, in a few words: `shop-1 claude`. Nothing in it means anything to tmux. */
export function statusName({ alias, workspace, slot, tool, container }: TmuxLook): string {
  const project = plain(alias ?? (workspace === undefined ? '' : posix.basename(workspace)));
  const name = project === '' ? plain(container) : project;
  return [slot === undefined ? name : `${name}-${slot}`, ...(tool ? [plain(tool)] : [])].join(' ');
}

/**
 * The commands, as one text. A status line that somebody has written stays; `@coi_ended` is set by agent.sh. The name is
 * the value of an option, so that nothing in it is expanded.
 */
export function lookCommands(look: TmuxLook): string {
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

/** A message would be gone with the first answer of the terminal outside, so the status line has the keys. */
function leaveCommands(outer: string | undefined): string[] {
  const off = 'set-option -g @coi_leave ""';
  if (outer === undefined) return [off];
  const key = keyInWords(outer);
  return [
    `if-shell -F '#{==:#{prefix},${outer}}' 'set-option -g @coi_leave "${key} ${key} d detaches "' '${off}'`,
  ];
}

/** What is said where the session's tmux and the user's own have one prefix. */
export function nestedHint(prefix: string): string {
  const key = keyInWords(prefix);
  return `Your own tmux has the prefix ${key} too: ${key} ${key} d detaches from the session, ${key} d from yours.`;
}

/** As people write keys. */
function keyInWords(key: string): string {
  return key.replace(/^C-/, 'Ctrl-').replace(/^M-/, 'Alt-');
}

/** Letters and digits of any script, and what joins them. */
function plain(text: string): string {
  const parts = text.normalize('NFC').replace(/[^\p{L}\p{N}._-]+/gu, '-');
  return [...parts.replace(/^-+|-+$/g, '')].slice(0, nameMax).join('');
}
