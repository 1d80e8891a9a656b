// Tells the user about events: waits as long as the rules say, looks whether the user is there, and delivers.
import type { SessionEvent } from '../../attention/events/event.ts';
import type { Notice } from '../../attention/notices/notice-queue.ts';
import { NoticeQueue } from '../../attention/notices/notice-queue.ts';
import { heldBackText, type NoticeText, noticeText } from '../../attention/notices/notice-text.ts';
import { redacted } from '../../monitor/redact.ts';
import type { AppContext } from '../context.ts';
import type { NoticeSettings } from './settings.ts';
import { loadNoticeSettings } from './settings.ts';

export interface TellerParts {
  readonly app: AppContext;
  /** Events of these are not told. */
  readonly ignores?: (event: SessionEvent) => boolean;
  /** Whether the user looks at that container. */
  readonly isSeen: (container: string) => boolean;
  /** `of` is undefined for the notice about those that were held back. */
  readonly tell: (settings: NoticeSettings, text: NoticeText, of: Notice | undefined) => void;
  readonly onError: (error: unknown) => void;
}

/** The configuration is read again after this time. */
const settingsMs = 5000;

export class Teller implements Disposable {
  readonly #parts: TellerParts;
  readonly #queue = new NoticeQueue();
  #settings: { readonly value: Promise<NoticeSettings>; readonly atMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  constructor(parts: TellerParts) {
    this.#parts = parts;
  }

  add(events: readonly SessionEvent[]): void {
    const { ignores, onError } = this.#parts;
    const told = events.filter((event) => ignores?.(event) !== true);
    if (told.length > 0) this.#add(told).catch(onError);
  }

  async #add(events: readonly SessionEvent[]): Promise<void> {
    const { rules } = await this.#currentSettings();
    const nowMs = this.#parts.app.clock.elapsedMs();
    for (const event of events) this.#queue.add(event, rules, nowMs);
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { nextMs } = this.#queue;
    if (nextMs === undefined || this.#isDisposed) return;
    const waitMs = Math.max(0, nextMs - this.#parts.app.clock.elapsedMs());
    this.#timer = setTimeout(() => this.#tell().catch(this.#parts.onError), waitMs);
  }

  async #tell(): Promise<void> {
    const { app, isSeen, tell } = this.#parts;
    const settings = await this.#currentSettings();
    if (this.#isDisposed) return;
    const { notices, heldBack } = this.#queue.take(
      settings.rules,
      app.clock.elapsedMs(),
      (container) => settings.isQuiet && isSeen(container),
    );
    for (const notice of notices)
      tell(settings, noticeText(notice, settings.body, redacted), notice);
    if (heldBack > 0) tell(settings, heldBackText(heldBack), undefined);
    this.#schedule();
  }

  #currentSettings(): Promise<NoticeSettings> {
    const { app } = this.#parts;
    const nowMs = app.clock.elapsedMs();
    if (!this.#settings || nowMs - this.#settings.atMs > settingsMs)
      this.#settings = { value: loadNoticeSettings(app), atMs: nowMs };
    return this.#settings.value;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
  }
}
