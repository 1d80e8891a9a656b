// Resuming a conversation in a new container, compared with a new session.
import type { Row } from '../measure.ts';
import type { Stage } from '../stage.ts';
import { closeScreens, firstScreen, shellArgs } from './actions.ts';
import { shell } from './start.ts';

const answerLimitMs = 10_000;

export const resume: Row<Stage> = {
  id: 'resume',
  title: 'coi shell --resume, to the first screen; the floor is a new coi session',
  budgets: [{ ratio: 1.1, over: 'floor' }],
  prepare: async (stage) => {
    const { screen } = await firstScreen(() =>
      stage.bed.screen([...shellArgs(stage), '--verbose']),
    );
    screen.type('something to go on with\r');
    await screen.waitFor(/said: something[\s\S]*You:/, answerLimitMs);
    conversations.set(stage, /^Session ID: (\S+)/m.exec(screen.output())?.[1] ?? '');
    await closeScreens(stage, [screen]);
  },
  subjects: {
    coi: async (stage) => {
      const args = [...shellArgs(stage), `--resume=${conversations.get(stage)}`];
      const { ms, screen } = await firstScreen(() => stage.bed.screen(args));
      await closeScreens(stage, [screen]);
      return ms;
    },
    // Alternating with it, so that load affects both equally.
    ...(shell.subjects.coi ? { floor: shell.subjects.coi } : {}),
  },
};

const conversations = new WeakMap<Stage, string>();
