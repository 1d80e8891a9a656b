import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coidUnit } from './unit.ts';

test('the unit runs coid in the foreground, creates no mount namespace and does not block openat2', () => {
  const unit = coidUnit('/usr/local/bin/coi');
  assert.match(unit, /^ExecStart=\/usr\/local\/bin\/coi daemon run --log-file$/m);
  // systemd.exec(5): each of these implies a private mount namespace.
  const private_ =
    /^(Private(Tmp|Devices|Mounts|Users)|Protect\w+|ReadOnlyPaths|ReadWritePaths|InaccessiblePaths|BindPaths|BindReadOnlyPaths|TemporaryFileSystem|MountFlags|RootDirectory|RootImage|DynamicUser|LogNamespace|(State|Runtime|Cache|Logs|Configuration)Directory)=/m;
  assert.doesNotMatch(unit, private_);
  assert.doesNotMatch(unit, /^RestrictSUIDSGID=/m);
});

test('a program path with blanks stays one word in ExecStart', () => {
  assert.match(
    coidUnit('/opt/my coi/100%/$x'),
    /^ExecStart="\/opt\/my coi\/100%%\/\$\$x" daemon run/m,
  );
});
