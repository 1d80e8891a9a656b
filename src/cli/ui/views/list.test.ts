// The list in the format that the predecessor's users and scripts know.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListedContainer, SessionList } from '../../../session/record/listing.ts';
import { listJson, listText } from './list.ts';

/** Local time, as the view shows it, so that the test passes in every time zone. */
const created = new Date(2026, 0, 2, 3, 4, 5);

const one: ListedContainer = {
  name: 'coi-abc12345-1',
  status: 'Running',
  createdAt: created.toISOString(),
  image: 'coi default',
  persistent: true,
  ipv4: '10.0.0.5',
  pool: 'default',
  alias: 'myalias',
  workspace: '/home/me/project',
  owner: undefined,
};
const bare: ListedContainer = {
  ...one,
  name: 'coi-abc12345-2',
  status: 'Stopped',
  persistent: false,
  ipv4: undefined,
  image: '',
  alias: undefined,
  workspace: undefined,
};
const empty: SessionList = { status: undefined, containers: [], saved: undefined };

describe('the list as text', () => {
  it('the text list has a block for each container, without empty lines', () => {
    assert.deepEqual(listText({ ...empty, containers: [one, bare] }), [
      'Active Containers:',
      '------------------',
      '  coi-abc12345-1 (myalias) (persistent)',
      '    Status: Running',
      '    IPv4: 10.0.0.5',
      '    Created: 2026-01-02 03:04:05',
      '    Image: coi default',
      '    Pool: default',
      '    Workspace: /home/me/project',
      '  coi-abc12345-2 (ephemeral)',
      '    Status: Stopped',
      '    Created: 2026-01-02 03:04:05',
      '    Pool: default',
    ]);
  });

  it('the text list says (none) for empty sections, including requested saved sessions', () => {
    assert.deepEqual(listText(empty), ['Active Containers:', '------------------', '  (none)']);
    assert.deepEqual(listText({ ...empty, saved: [] }).slice(3), [
      '',
      'Saved Sessions:',
      '---------------',
      '  (none)',
    ]);
  });

  it('the heading of the text list names the filter', () => {
    assert.deepEqual(listText({ ...empty, status: 'Frozen' }).slice(0, 2), [
      'Frozen Containers:',
      '------------------',
    ]);
  });

  it('the text list shows when and where a session was saved', () => {
    const saved = [{ id: 'an-id', savedAt: created, workspace: '/w' }];
    assert.deepEqual(listText({ ...empty, saved }).slice(6), [
      '  an-id',
      '    Saved: 2026-01-02 03:04:05',
      '    Workspace: /w',
    ]);
  });

  it('a hostile image name or path cannot add lines or colours to the list', () => {
    const lines = listText({
      ...empty,
      containers: [{ ...one, image: 'x\n  coi-fake-1', workspace: '/\u001b[31m' }],
    });
    assert.equal(lines.length, 9);
    assert.ok(!lines.join('\n').includes('\u001b'));
  });
});

describe('the list as JSON', () => {
  it('the JSON list has the keys that scripts read', () => {
    assert.deepEqual(listJson({ ...empty, containers: [one, bare] }), {
      active_containers: [
        {
          name: 'coi-abc12345-1',
          status: 'Running',
          created_at: created.toISOString(),
          image: 'coi default',
          persistent: true,
          ipv4: '10.0.0.5',
          pool: 'default',
          alias: 'myalias',
          workspace: '/home/me/project',
          published_ports: [],
          ephemeral: false,
          state: 'running',
          attached: null,
          last_attached: null,
        },
        {
          name: 'coi-abc12345-2',
          status: 'Stopped',
          created_at: created.toISOString(),
          image: '',
          persistent: false,
          ipv4: '',
          pool: 'default',
          alias: '',
          published_ports: [],
          ephemeral: true,
          state: 'stopped',
          attached: null,
          last_attached: null,
        },
      ],
    });
  });

  it('the JSON list has saved sessions only if there are any', () => {
    const saved = [{ id: 'an-id', savedAt: created, workspace: '/w' }];
    assert.deepEqual(listJson({ ...empty, saved: [] }), { active_containers: [] });
    assert.deepEqual(listJson({ ...empty, saved }), {
      active_containers: [],
      saved_sessions: [
        {
          ID: 'an-id',
          SavedAt: created.toISOString(),
          Workspace: '/w',
          tool: '',
          slot: null,
          container: '',
          persistent: false,
          profile: '',
          last_attached: null,
          first_words: '',
        },
      ],
    });
  });

  it('the JSON list has all fields of a session', () => {
    const session = { id: 'an-id', slot: 2, tool: 'pi', mode: 'open', profile: 'mine' } as const;
    const known = { ...one, session, attached: true, lastAttached: created };
    const [{ session_id, slot, tool, mode, profile, attached, last_attached }] = (
      listJson({ ...empty, containers: [known] }) as {
        active_containers: Record<string, unknown>[];
      }
    ).active_containers as [Record<string, unknown>];
    assert.deepEqual(
      [session_id, slot, tool, mode, profile, attached, last_attached],
      ['an-id', 2, 'pi', 'open', 'mine', true, created.toISOString()],
    );
  });
});
