// What coi changes in a store so that it can tell what the agent does and send it messages.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { StoreFixture } from '../../../test/bed/store-fixture.ts';

let fixture: StoreFixture;
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => fixture[Symbol.dispose]());

const bindings = '.claude/keybindings.json';
const submit = { context: 'Chat', bindings: { 'ctrl+x ctrl+q': 'chat:submit' } };
const registry = () => join(fixture.store, '.claude/sessions');

describe("an agent's registry and keys", () => {
  test('what earlier processes of the agent said about themselves is gone when a session is resumed', () => {
    fixture.prepare();
    fixture.plant('.claude/sessions/31.json', '{"pid":31,"status":"waiting"}');
    fixture.plant('.claude/sessions/31.abc.key', '{}');
    fixture.prepare('resume');
    assert.equal(existsSync(registry()), false);
  });

  test('a registry that a container has made a link is not followed', () => {
    fixture.prepare();
    const kept = join(fixture.home, 'kept');
    mkdirSync(kept);
    fixture.write('kept/31.json', 'mine');
    symlinkSync(kept, registry());
    fixture.prepare('resume');
    assert.equal(existsSync(join(kept, '31.json')), true);
  });

  test('the keys that submit a message are added once to the key bindings of the user', () => {
    const own = { context: 'Chat', bindings: { 'ctrl+e': 'chat:externalEditor' } };
    fixture.write(bindings, JSON.stringify({ bindings: [own] }));
    fixture.prepare();
    assert.deepEqual(fixture.settings(bindings).bindings, [own, submit]);
    fixture.prepare('resume');
    assert.deepEqual(fixture.settings(bindings).bindings, [own, submit]);
  });

  test('key bindings that are not JSON stay as they are', () => {
    fixture.write(bindings, '// mine');
    const { warnings } = fixture.prepare();
    assert.equal(fixture.stored(bindings), '// mine');
    assert.deepEqual(warnings, []);
  });
});
