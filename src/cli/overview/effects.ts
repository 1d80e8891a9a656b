// What keys of the overview do to a session. Each of them finds the container again: its name could be in use by another.
import { toolOf } from '../../app/attention/container-activity.ts';
import { answerQuestion, containerOfRef, sendText } from '../../app/attention/of-session.ts';
import { freeWithCoid } from '../../app/end-sessions/free-stuck.ts';
import { noteDeleted } from '../../app/end-sessions/note-end.ts';
import { markSeen } from '../../app/events/viewers.ts';
import { runInTmux } from '../../app/terminal/tmux-commands.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { changeState } from '../../session/record/change-instance.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { App } from '../app.ts';
import type { SessionEffect } from './update.ts';

const stateMs = 30_000;
const interruptKey = 'Escape';

export const doing: Readonly<Record<SessionEffect['kind'], string>> = {
  interrupt: 'interrupting',
  kill: 'killing',
  pause: 'pausing',
  unfreeze: 'resuming',
  seen: 'marking',
  send: 'sending',
  answer: 'answering',
};

/** Returns what was done. Throws as the command for it does. */
export async function doEffect(
  app: App,
  ref: ContainerRef,
  effect: SessionEffect,
): Promise<string> {
  const { called } = effect.row;
  switch (effect.kind) {
    case 'answer': {
      const { words, text } = effect.choice;
      const choice = { options: words, ...(text !== undefined && { text }) };
      await answerQuestion(app, ref, effect.ask, choice);
      return `Answered ${called}`;
    }
    case 'send': {
      const { state } = await sendText(app, ref, effect.text, {});
      return state === 'delivered' ? `Sent to ${called}` : `Queued for ${called}`;
    }
    case 'interrupt': {
      const container = await containerOfRef(app, ref);
      await runInTmux(
        app,
        container.name,
        'keys',
        toolOf(container)?.keys?.interrupt ?? interruptKey,
      );
      return `Interrupted ${called}`;
    }
    case 'kill': {
      const container = await containerOfRef(app, ref);
      await killContainer(await app.incus(), ref, app.signal, freeWithCoid(app));
      noteDeleted(app, container, () => undefined);
      return `Killed ${called}`;
    }
    case 'pause':
      await freeze(app, ref, 'freeze');
      return `Paused ${called}`;
    case 'unfreeze':
      await freeze(app, ref, 'unfreeze');
      return `Resumed ${called}`;
    case 'seen': {
      const { session } = await containerOfRef(app, ref);
      if (session) markSeen(app, session.session);
      return `Marked ${called} as seen`;
    }
  }
}

async function freeze(app: App, ref: ContainerRef, action: 'freeze' | 'unfreeze'): Promise<void> {
  const { signal } = app;
  try {
    const operation = await changeState(await app.incus(), ref, { action }, { signal });
    await operation.wait({ signal, timeoutMs: stateMs });
  } catch (error) {
    throw incusFailure(error, `${action === 'freeze' ? 'pausing' : 'resuming'} ${ref.name} failed`);
  }
}
