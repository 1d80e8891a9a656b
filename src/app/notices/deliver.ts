// Delivers a notice to where the user wants it: desktop, command, webhook, ntfy. Runs as the user, in the user's watcher.
import type { Notice, NoticeKind } from '../../attention/notices/notice-queue.ts';
import { type NoticeText, sessionName } from '../../attention/notices/notice-text.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { postJson } from '../../host/net/post-json.ts';
import { runProgram } from '../../host/process/program.ts';
import type { AppContext } from '../context.ts';
import type { NoticeSettings } from './settings.ts';

export type Sink = 'desktop' | 'command' | 'webhook' | 'ntfy';

/** `reason`: why it failed. */
export interface DeliveryResult {
  readonly sink: Sink;
  readonly reason: string | undefined;
}

/** A notice; `of` is undefined for the one about notices that were held back. */
export interface Delivery {
  readonly text: NoticeText;
  readonly of: Notice | undefined;
  readonly at: string;
}

const limitMs = 10_000;
const tokenMaxBytes = 4096;
/** With the user's bus, but without a program that shows notices. */
const notFound = 'ENOENT';

/** Resolves when all have been tried. */
export async function deliver(
  app: AppContext,
  settings: NoticeSettings,
  delivery: Delivery,
): Promise<readonly DeliveryResult[]> {
  const { desktop, command, webhook, ntfy } = settings;
  const sinks: [Sink, () => Promise<string | undefined>][] = [];
  if (desktop && app.env['DBUS_SESSION_BUS_ADDRESS'] !== undefined)
    sinks.push(['desktop', () => onDesktop(delivery)]);
  // A pause by the monitor has told the command already (daemon/monitor/effects.ts).
  if (command.length > 0 && delivery.of?.kind !== 'paused')
    sinks.push(['command', () => runCommand(app, command, delivery)]);
  if (webhook !== undefined)
    sinks.push(['webhook', () => postJson(webhook, bodyOf(delivery), { limitMs })]);
  if (ntfy) sinks.push(['ntfy', () => toNtfy(ntfy, delivery)]);
  return Promise.all(sinks.map(async ([sink, send]) => ({ sink, reason: await send() })));
}

async function onDesktop({ text, of }: Delivery): Promise<string | undefined> {
  const urgency = of?.kind === 'paused' ? 'critical' : 'normal';
  const { status, failure } = await runProgram(
    [
      ...['notify-send', '--app-name=coi', `--urgency=${urgency}`, '--'],
      ...[withoutMarkup(text.title), withoutMarkup(text.body)],
    ],
    { output: 'nowhere', limitMs },
  );
  // Hosts without it have no desktop.
  if (failure?.code === notFound) return undefined;
  return failure?.message ?? (status === 0 ? undefined : `notify-send failed (status ${status})`);
}

/** Notification servers understand some HTML. */
function withoutMarkup(text: string): string {
  return text.replaceAll('&', '＆').replaceAll('<', '‹').replaceAll('>', '›');
}

async function runCommand(
  app: AppContext,
  command: readonly string[],
  delivery: Delivery,
): Promise<string | undefined> {
  const { text, of } = delivery;
  const { status, failure, isLate } = await runProgram(command, {
    withChildren: true,
    cwd: app.user.home,
    env: {
      ...app.env,
      // Of the watcher alone (daemon/attention/start-watcher.ts).
      NODE_OPTIONS: undefined,
      NODE_USE_SYSTEM_CA: undefined,
      COI_CONTAINER: of?.event.container ?? '',
      COI_SESSION: of ? sessionName(of.event) : '',
      COI_ACTION: actionOf(delivery),
      COI_LEVEL: 'info',
      COI_TITLE: text.title,
      COI_DESCRIPTION: text.body,
    },
    input: `${JSON.stringify(bodyOf(delivery))}\n`,
    output: 'nowhere',
    limitMs,
  });
  if (isLate) return `it did not end within ${limitMs / 1000} s`;
  if (failure?.code === notFound) return `${command[0] ?? ''} is not there`;
  if (failure) return failure.message;
  return status === 0
    ? undefined
    : status === undefined
      ? 'it was killed'
      : `its exit status was ${status}`;
}

function toNtfy(
  { url, topic, token_file: tokenFile }: NonNullable<NoticeSettings['ntfy']>,
  delivery: Delivery,
): Promise<string | undefined> {
  let token: string | undefined;
  if (tokenFile !== undefined) {
    token = readToken(tokenFile);
    if (token === undefined) return Promise.resolve(`${tokenFile} has no token`);
  }
  const { title, body } = delivery.text;
  // As JSON: headers could not contain the letters of every script.
  return postJson(
    new URL('/', url).href,
    { topic, title, message: body === '' ? title : body },
    { limitMs, ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }) },
  );
}

function readToken(path: string): string | undefined {
  try {
    const slash = path.lastIndexOf('/');
    using directory = hostFiles.open(path.slice(0, slash) || '/');
    const text = directory?.read(path.slice(slash + 1), { maxBytes: tokenMaxBytes })?.text.trim();
    return text !== undefined && /^[\x21-\x7e]+$/.test(text) ? text : undefined;
  } catch (error) {
    if (hostFiles.asFileError(error)) return undefined;
    throw error;
  }
}

function bodyOf(delivery: Delivery): Readonly<Record<string, unknown>> {
  const { text, of, at } = delivery;
  return {
    container: of?.event.container ?? '',
    session: of ? sessionName(of.event) : '',
    alias: of?.event.alias ?? '',
    tool: of?.event.tool ?? '',
    workspace: of?.event.workspace ?? '',
    session_id: of?.event.session_id ?? '',
    action: actionOf(delivery),
    level: 'info',
    title: text.title,
    description: text.body,
    time: at,
  };
}

function actionOf({ of }: Delivery): NoticeKind | 'held-back' {
  return of?.kind ?? 'held-back';
}
