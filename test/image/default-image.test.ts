// Claims about the default image: agents, Docker and tools. It has to be built with `coi build`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultImage } from '../../src/image/versions.ts';
import { startGuest } from '../incus/guest.ts';
import { tinyImage } from './tiny-image.ts';

const image = process.env['COI_DEFAULT_IMAGE'] ?? defaultImage;
const limit = { timeout: 180_000 };

test('the default image boots completely, with Docker started on first use', limit, async () => {
  await using guest = await startGuest(image);
  assert.equal(await guest.booted(), 'running');
  const states = await guest.root(
    'systemctl is-active docker.socket docker.service containerd.service || true',
  );
  assert.equal(states, 'active\ninactive\ninactive');
});

test("the agents run as the agent's user and print their version", limit, async () => {
  await using guest = await startGuest(image);
  for (const agent of ['claude', 'opencode', 'pi'])
    assert.match(await guest.code(`${agent} --version`), /\b\d+\.\d+\.\d+\b/, agent);
  assert.match(await guest.code('dummy --version'), /dummy/);
  // Native programs, started without a Node around them.
  assert.match(
    await guest.code('head -c 4 "$(readlink -f "$(command -v claude)")" | od -An -c'),
    /E {3}L {3}F/,
  );
});

test('common project tools are installed', limit, async () => {
  await using guest = await startGuest(image);
  const tools =
    'git ssh curl wget jq rg gcc g++ make pkg-config python3 pip node npm npx corepack gh docker tmux sudo unzip rsync sqlite3 nft ip ping git-lfs';
  const missing = await guest.code(
    `for tool in ${tools}; do command -v "$tool" >/dev/null || echo "$tool"; done`,
  );
  assert.equal(missing, '');
  assert.match(await guest.code('node --version'), /^v24\./);
  assert.match(await guest.code('docker compose version --short'), /^v?2\./);
  assert.equal(
    await guest.code(
      `cd "$(mktemp -d)" && echo 'int main(){return 0;}' >a.c && gcc a.c && ./a.out && python3 -m venv v && v/bin/python -c 'print(1)'`,
    ),
    '1',
  );
});

test("npm's global packages go into the user's home, without root", limit, async () => {
  await using guest = await startGuest(image);
  const result = await guest.code(`mkdir -p /tmp/p && cd /tmp/p
echo '{"name":"own-tool","version":"1.0.0","bin":"x.js"}' >package.json
printf '#!/usr/bin/env node\\nconsole.log("own")\\n' >x.js
npm install --global --offline --loglevel=error "$(npm pack --silent)" >/dev/null && ~/.local/bin/own-tool`);
  assert.equal(result, 'own');
});

test(
  "`docker run`, `docker build` and `docker compose up` work for the agent's user without sudo",
  limit,
  async () => {
    await using guest = await startGuest(image);
    await guest.booted();
    await guest.code(tinyImage);
    assert.equal(
      await guest.code('docker run --rm tiny /bin/busybox echo from inside'),
      'from inside',
    );
    const built = `cd "$(mktemp -d)" && printf 'FROM tiny\\nRUN ["/bin/busybox","touch","/made"]\\n' >Dockerfile
docker build --quiet --tag made . >/dev/null && docker run --rm made /bin/busybox ls /made`;
    assert.equal(await guest.code(built), '/made');
    const compose = `cd "$(mktemp -d)" && cat >compose.yaml <<'Y'
services:
  server:
    image: tiny
    command: ["/bin/busybox", "sh", "-c", "echo served >/tmp/page; exec busybox httpd -f -p 80 -h /tmp"]
    ports: ["8080:80"]
  client:
    image: tiny
    depends_on: [server]
    command: ["/bin/busybox", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do busybox wget -q -O - http://server/page && break; busybox sleep 0.5; done"]
Y
docker compose --progress quiet up --detach && client=$(docker compose ps --all --quiet client) && docker wait "$client" && docker logs "$client"; curl --silent --max-time 10 http://127.0.0.1:8080/page; docker compose --progress quiet down --timeout 0`;
    assert.equal(await guest.code(compose), '0\nserved\nserved');
    assert.match(await guest.code("docker info --format '{{.Driver}}'"), /^overlay/);
  },
);

test('the image has no leftovers of its build', limit, async () => {
  await using guest = await startGuest(image);
  const left = await guest.root(
    'ls /mnt /var/lib/apt/lists /var/cache/apt/archives /var/log | grep -v -e ":$" -e "^$" -e partial -e journal; ls -d /usr/sbin/policy-rc.d /root/.npm 2>/dev/null; find / -xdev -nouser -o -xdev -nogroup 2>/dev/null | head; true',
  );
  assert.equal(left, '');
});
