import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ConfigPlace, failsWith } from '../../test/bed/config-place.ts';
import { originText } from './origin.ts';

let place: ConfigPlace;
beforeEach(() => {
  place = new ConfigPlace();
});
afterEach(() => place[Symbol.dispose]());

describe('profiles', () => {
  test('one inherits from another, field by field', async () => {
    place.profile(
      'base',
      'forward_env = ["A"]\nenvironment = { X = "1", Y = "1", Z = "1" }\n[container]\nimage = "base"\npersistent = true\n[security]\nadditional_protected_paths = ["p"]\n[[mounts]]\nhost = "/m"\ncontainer = "/m"\n',
    );
    place.profile(
      'child',
      'inherits = "base"\nforward_env = []\nenvironment = { Y = "2", Z = "" }\n[container]\nimage = "child"\n[security]\nadditional_protected_paths = ["q", "p"]\n',
    );
    const { settings, origins } = await place.load({ profile: 'child' });
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

  test('[defaults] profile counts where none is named, and only in the user’s own file', async () => {
    place.profile('p', '[container]\nimage = "profile"\n');
    place.project('[defaults]\nprofile = "p"\n');
    const ignored = await place.load();
    assert.equal(ignored.profile, undefined);
    assert.match(ignored.warnings.join(), /defaults\.profile is ignored/);
    place.user('[defaults]\nprofile = "p"\n');
    assert.equal((await place.load()).settings['container.image'], 'profile');
    assert.equal(
      (await place.load({ profile: 'default' })).settings['container.image'],
      'coi-default',
    );
  });

  test('an unknown one is named with those that there are', async () => {
    place.profile('web', '');
    await assert.rejects(
      place.load({ profile: 'wbe' }),
      failsWith('profile-not-found', "profile 'wbe' not found", 'web', 'hardened'),
    );
    await assert.rejects(place.load({ profile: '../web' }), failsWith('profile-not-found'));
  });

  test('unknown parents, circles and chains that are too long are refused', async () => {
    place.profile('orphan', 'inherits = "none"\n');
    await assert.rejects(
      place.load({ profile: 'orphan' }),
      failsWith('config-invalid', 'orphan', 'none'),
    );
    place.profile('a', 'inherits = "b"\n');
    place.profile('b', 'inherits = "a"\n');
    await assert.rejects(place.load({ profile: 'a' }), failsWith('config-invalid', 'in turn'));
    place.profile('self', 'inherits = "self"\n');
    await assert.rejects(place.load({ profile: 'self' }), failsWith('config-invalid', 'in turn'));
    for (let level = 0; level <= 12; level += 1)
      place.profile(`l${level}`, level === 12 ? '' : `inherits = "l${level + 1}"\n`);
    await assert.rejects(place.load({ profile: 'l0' }), failsWith('config-invalid', '10'));
    assert.equal((await place.load({ profile: 'l2' })).profile, 'l2');
  });

  test('the same name at two places is refused with both', async () => {
    const one = place.profile('p', '');
    const two = place.profile('p', '', place.workspace);
    await assert.rejects(place.load({ profile: 'p' }), failsWith('config-invalid', one, two));
  });

  test('a project’s profile is no more trusted than its configuration', async () => {
    place.profile(
      'p',
      '[network]\nmode = "open"\n[git]\nwritable_hooks = true\n[container]\nimage = "x"\n',
      place.workspace,
    );
    const { settings, waiting } = await place.load({ profile: 'p' });
    assert.equal(settings['network.mode'], 'restricted');
    assert.equal(settings['git.writable_hooks'], false);
    assert.equal(settings['container.image'], 'x');
    assert.equal(waiting.length, 1);
  });

  test('the context file is found beside the profile; a project’s must be in the workspace', async () => {
    place.profile('p', 'context = "notes.md"\n');
    assert.equal(
      (await place.load({ profile: 'p' })).contextFile,
      join(place.home, '.coi/profiles/p/notes.md'),
    );
    place.profile('q', `context = "${join(place.home, '.ssh/id')}"\n`, place.workspace);
    const { contextFile, warnings } = await place.load({ profile: 'q' });
    assert.equal(contextFile, undefined);
    assert.match(warnings.join(), /context is ignored/);
  });
});
