// A conversation with the stub agent, and the ways to end it.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Bed } from '../bed/bed.ts';
import { Lifecycle } from '../bed/events.ts';
import { stopByForce } from '../bed/incus.ts';
import type { Screen, ScreenOptions } from '../bed/screen.ts';
import { occurrences } from '../terminal/session.ts';

/** The prompt of bash in the container. */
export const prompt = /code@\S+\$ *$/m;
/** Limit for a start on a machine that is busy with other tests. */
export const startMs = 30_000;
export const endMs = 30_000;

/** `coi shell` with the stub agent on a terminal; resolves when it prompts. */
export async function startConversation(
  bed: Bed,
  args: readonly string[] = [],
  options?: Partial<ScreenOptions>,
): Promise<Screen> {
  const screen = bed.screen(['shell', '--image', bed.image, '--verbose', ...args], options);
  await screen.waitFor('You:', startMs);
  return screen;
}

/** Sends a message and waits for the answer. */
export async function sendMessage(screen: Screen, words: string): Promise<void> {
  const before = occurrences(screen.text(), 'You said:');
  screen.type(`${words}\r`);
  await screen.waitUntil(
    `an answer to ${words}`,
    (text) => occurrences(text, 'You said:') > before || text.includes(`You said: ${words}`),
  );
}

/** Leaves the agent for the bash behind it. */
export async function leaveAgent(screen: Screen): Promise<void> {
  screen.type('/exit\r');
  await screen.waitFor(prompt);
}

/** Types a bash command that ends the container, and waits for coi to exit. */
export async function powerOff(screen: Screen, command = 'sudo poweroff'): Promise<string> {
  await leaveAgent(screen);
  screen.type(`${command}\r`);
  const { status } = await screen.ended(endMs);
  assert.equal(status, 0, screen.output());
  return screen.output();
}

export async function detach(screen: Screen): Promise<string> {
  screen.key('ctrl-b d');
  const { status } = await screen.ended(endMs);
  assert.equal(status, 0, screen.output());
  return screen.output();
}

/** The session id as printed by coi. */
export function sessionId(screen: Screen): string {
  const [, id] = /Session ID: ([0-9a-f-]{36})/.exec(screen.output()) ?? [];
  assert.ok(id, screen.output());
  return id;
}

export function storeOf(bed: Bed, id: string, tool = 'claude'): string {
  return `${bed.user.home}/.coi/sessions-${tool}/${id}`;
}

export function metadataOf(bed: Bed, id: string, tool?: string): Record<string, unknown> {
  return JSON.parse(readFileSync(`${storeOf(bed, id, tool)}/metadata.json`, 'utf8'));
}

/** The whole conversation of a session, read on the host. */
export function conversationText(bed: Bed, id: string): string {
  const top = `${storeOf(bed, id)}/.claude/projects`;
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => readFileSync(`${top}/${name}`, 'utf8'))
    .join('');
}

/** Runs a command as root in the container and returns its output. Throws unless it succeeds. */
export async function runInside(bed: Bed, name: string, ...command: string[]): Promise<string> {
  const { status, stdout, stderr } = await bed.incus.execCaptured(name, { command });
  assert.equal(status, 0, `${command.join(' ')}: ${stderr}`);
  return stdout.toString();
}

/** Writes a file of the user's home. */
export function homeFile(bed: Bed, relative: string, text: string): void {
  const { home, uid, gid } = bed.user;
  const parts = relative.split('/').slice(0, -1);
  let at = home;
  for (const part of parts) {
    at = `${at}/${part}`;
    mkdirSync(at, { recursive: true });
    chownSync(at, uid, gid);
  }
  writeFileSync(`${home}/${relative}`, text);
  chownSync(`${home}/${relative}`, uid, gid);
}

/** Resolves when coid has marked the session: until then it may be busy with that. */
export async function untilLive(bed: Bed, name: string): Promise<void> {
  using events = await Lifecycle.open(bed.incus);
  for (let updates = 1; ; updates += 1) {
    const found = await bed.incus.instance(name);
    if (found?.instance.config['user.coi.phase'] === 'live') return;
    await events.until('instance-updated', name, updates);
  }
}

/** Stops a container by force from outside, like `incus stop --force`. */
export async function stopFromOutside(bed: Bed, name: string): Promise<void> {
  await untilLive(bed, name);
  await stopByForce(bed.incus, name);
}
