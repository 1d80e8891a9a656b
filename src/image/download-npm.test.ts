import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureReason } from './download.ts';
import { imageRegistry } from './download-npm.ts';

test("the image has the registry without the builder's credentials", () => {
  assert.equal(imageRegistry('https://me:secret@npm.example/path/\n'), 'https://npm.example/path/');
});

test('a registry that only the host can reach is not kept in the image', () => {
  for (const url of [
    'http://localhost:4873/',
    'http://127.0.0.1:4873/',
    'http://[::1]:4873/',
    'file:///x',
    'undefined',
  ])
    assert.equal(imageRegistry(url), '');
});

test('the reason of an apt or npm failure is found in its output', () => {
  const reason = (...lines: string[]) => lines.map(failureReason).find((one) => one !== undefined);
  const npm = 'request to https://npm.example/x failed, reason: self-signed certificate';
  assert.equal(
    reason('npm ERR! code SELF_SIGNED_CERT_IN_CHAIN', `npm ERR! ${npm}`, 'npm ERR! A complete log'),
    npm,
  );
  assert.equal(reason('npm error code E404', 'npm error 404 Not Found'), '404 Not Found');
  assert.equal(
    reason('Err:1 http://mirror.example', 'E: Unable to locate package x'),
    'Unable to locate package x',
  );
  assert.equal(reason('npm warn deprecated', 'added 3 packages'), undefined);
});
