// Goal: a company's CA that is installed in the container also applies to Node, which has its own list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultImage } from '../../src/image/versions.ts';
import { makeBed } from '../bed/bed.ts';

const image = process.env['COI_DEFAULT_IMAGE'] ?? defaultImage;

/** Like a user who adds one in a custom image. */
const added = `cd /home/code
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \\
  -keyout key.pem -out authority.pem 2>/dev/null
cp authority.pem /usr/local/share/ca-certificates/company.crt
chown code key.pem && update-ca-certificates >/dev/null 2>&1`;

const clientScript = `
const { createServer } = require('node:https');
const { readFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const server = createServer(
  { key: readFileSync('/home/code/key.pem'), cert: readFileSync('/home/code/authority.pem') },
  (_, response) => response.end('from the company'),
).listen(0, '127.0.0.1', () => {
  const script = 'fetch("https://localhost:' + server.address().port + '").then(async (r) => console.log(await r.text()), (e) => console.log(e.cause.code))';
  const { NODE_USE_SYSTEM_CA, ...without } = process.env;
  const ask = (env, then) => spawn('node', ['-e', script], { env, stdio: 'inherit' }).on('exit', then);
  ask(process.env, () => ask(without, () => server.close()));
});`;

test('Node trusts a CA that was added to the container; without the variable it does not', {
  timeout: 120_000,
}, async () => {
  await using bed = await makeBed();
  const run = ['run', '--persistent', '--image', image, '--'];
  const made = await bed.coi([...run, 'sudo', 'bash', '-ec', added]);
  assert.equal(made.status, 0, made.stderr);
  const result = await bed.coi([...run, 'node', '-e', clientScript]);
  assert.deepEqual(result.stdout.trim().split('\n'), [
    'from the company',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ]);
  const names = await bed.coi([...run, 'bash', '-c', 'echo "$SSL_CERT_FILE $REQUESTS_CA_BUNDLE"']);
  const list = '/etc/ssl/certs/ca-certificates.crt';
  assert.equal(names.stdout, `${list} ${list}\n`, names.stderr);
});
