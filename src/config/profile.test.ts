import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ConfigFixture, failsWith } from '../../test/bed/config-fixture.ts';
import { originText } from './origin.ts';

let fixture: ConfigFixture;
beforeEach(() => {
  fixture = new ConfigFixture();
});
afterEach(() => fixture[Symbol.dispose]());

describe('profiles', () => {
  test('a profile inherits from another field by field', async () => {
    fixture.profile(
      'base',
      'forward_env = ["A"]\nenvironment = { X = "1", Y = "1", Z = "1" }\n[container]\nimage = "base"\npersistent = true\n[security]\nadditional_protected_paths = ["p"]\n[[mounts]]\nhost = "/m"\ncontainer = "/m"\n',
    );
    fixture.profile(
      'child',
      'inherits = "base"\nforward_env = []\nenvironment = { Y = "2", Z = "" }\n[container]\nimage = "child"\n[security]\nadditional_protected_paths = ["q", "p"]\n',
    );
    const { settings, origins } = await fixture.load({ profile: 'child' });
    assert.equal(settings['container.image'], 'child');
    assert.equal(settings['container.persistent'], true);
    assert.deepEqual(settings['defaults.forward_env'], []);
    assert.deepEqual(settings['defaults.environment'], { X: '1', Y: '2' });
    assert.deepEqual(settings['security.additional_protected_paths'], ['p', 'q']);
    assert.equal(settings['mounts.default'].length, 1);
    assert.match(
      originText(origins['container.persistent'][0] ?? { kind: 'default' }),
      /^profile base/,
    );
  });

  test("[defaults] profile applies when none is named, and only from the user's file", async () => {
    fixture.profile('p', '[container]\nimage = "profile"\n');
    fixture.project('[defaults]\nprofile = "p"\n');
    const ignored = await fixture.load();
    assert.equal(ignored.profile, undefined);
    assert.match(ignored.warnings.join(), /defaults\.profile is ignored/);
    fixture.user('[defaults]\nprofile = "p"\n');
    assert.equal((await fixture.load()).settings['container.image'], 'profile');
    assert.equal(
      (await fixture.load({ profile: 'default' })).settings['container.image'],
      'coi-default',
    );
  });

  test('an unknown profile error lists the existing ones', async () => {
    fixture.profile('web', '');
    await assert.rejects(
      fixture.load({ profile: 'wbe' }),
      failsWith('profile-not-found', "profile 'wbe' not found", 'web', 'hardened'),
    );
    await assert.rejects(fixture.load({ profile: '../web' }), failsWith('profile-not-found'));
  });

  test('unknown parents, cycles and chains that are too long are refused', async () => {
    fixture.profile('orphan', 'inherits = "none"\n');
    await assert.rejects(
      fixture.load({ profile: 'orphan' }),
      failsWith('config-invalid', 'orphan', 'none'),
    );
    fixture.profile('a', 'inherits = "b"\n');
    fixture.profile('b', 'inherits = "a"\n');
    await assert.rejects(fixture.load({ profile: 'a' }), failsWith('config-invalid', 'in turn'));
    fixture.profile('self', 'inherits = "self"\n');
    await assert.rejects(fixture.load({ profile: 'self' }), failsWith('config-invalid', 'in turn'));
    for (let level = 0; level <= 12; level += 1)
      fixture.profile(`l${level}`, level === 12 ? '' : `inherits = "l${level + 1}"\n`);
    await assert.rejects(fixture.load({ profile: 'l0' }), failsWith('config-invalid', '10'));
    assert.equal((await fixture.load({ profile: 'l2' })).profile, 'l2');
  });

  test('a profile name defined in two places is refused with both paths', async () => {
    const one = fixture.profile('p', '');
    const two = fixture.profile('p', '', fixture.workspace);
    await assert.rejects(fixture.load({ profile: 'p' }), failsWith('config-invalid', one, two));
  });

  test("a project's profile is trusted no more than its configuration", async () => {
    fixture.profile(
      'p',
      '[network]\nmode = "open"\n[git]\nwritable_hooks = true\n[container]\nimage = "x"\n',
      fixture.workspace,
    );
    const { settings, waiting } = await fixture.load({ profile: 'p' });
    assert.equal(settings['network.mode'], 'restricted');
    assert.equal(settings['git.writable_hooks'], false);
    assert.equal(settings['container.image'], 'x');
    assert.equal(waiting.length, 1);
  });

  test("a context file is found next to its profile; a project's must be in the workspace", async () => {
    fixture.profile('p', 'context = "notes.md"\n');
    assert.equal(
      (await fixture.load({ profile: 'p' })).contextFile,
      join(fixture.home, '.coi/profiles/p/notes.md'),
    );
    fixture.profile('q', `context = "${join(fixture.home, '.ssh/id')}"\n`, fixture.workspace);
    const { contextFile, warnings } = await fixture.load({ profile: 'q' });
    assert.equal(contextFile, undefined);
    assert.match(warnings.join(), /context is ignored/);
  });
});
