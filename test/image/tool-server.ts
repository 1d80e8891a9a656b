// Content for apt, npm and git on a server of the simulated internet: a package for each, by host and path, and a certificate.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { mustRun } from '../bed/command.ts';
import { testPrefix } from '../bed/prefix.ts';

export interface ToolServer {
  readonly certificate: string;
  readonly key: string;
  /** Base64 content by host and path. */
  readonly files: Readonly<Record<string, string>>;
}

/** The same content for each host. The certificate is self-signed. */
export async function makeToolServer(hosts: readonly string[]): Promise<ToolServer> {
  const directory = await mkdtemp(join(tmpdir(), `${testPrefix}-tools-`));
  try {
    const { certificate, key } = await certificateFor(directory, hosts);
    const [deb, npm, git] = [
      await debFiles(directory),
      await npmTarball(directory),
      await gitFiles(directory),
    ];
    const files: Record<string, string> = {};
    for (const host of hosts)
      for (const [path, content] of [...deb, ...npmFiles(host, npm), ...git])
        files[`${host}/${path}`] = content.toString('base64');
    return { certificate, key, files };
  } finally {
    await rm(directory, { recursive: true });
  }
}

type Files = readonly (readonly [path: string, content: Buffer])[];

async function certificateFor(directory: string, hosts: readonly string[]) {
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  await mustRun([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    ...['-nodes', '-days', '2', '-subj', '/CN=coi test', '-keyout', key, '-out', certificate],
    ...['-addext', `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`],
  ]);
  return {
    key: await readFile(key, 'utf8'),
    certificate: await readFile(certificate, 'utf8'),
  };
}

/** A repository in one directory (sources.list(5), "exact path"). */
async function debFiles(directory: string): Promise<Files> {
  const tree = join(directory, 'deb');
  await mkdir(join(tree, 'DEBIAN'), { recursive: true });
  await mkdir(join(tree, 'opt'));
  await writeFile(join(tree, 'opt/own-package'), 'from apt\n');
  const control =
    'Package: own-package\nVersion: 1.0\nArchitecture: all\nMaintainer: coi <coi@example.org>\nDescription: a test\n';
  await writeFile(join(tree, 'DEBIAN/control'), control);
  const file = join(directory, 'own-package.deb');
  await mustRun(['dpkg-deb', '--build', '--root-owner-group', tree, file]);
  const deb = await readFile(file);
  const sum = createHash('sha256').update(deb).digest('hex');
  const index = `${control}Filename: ./own-package.deb\nSize: ${deb.length}\nSHA256: ${sum}\n`;
  return [
    ['apt/Packages', Buffer.from(index)],
    ['apt/own-package.deb', deb],
  ];
}

async function npmTarball(directory: string): Promise<Buffer> {
  const tree = join(directory, 'package');
  await mkdir(tree);
  await writeFile(join(tree, 'package.json'), '{"name":"own-thing","version":"1.0.0"}');
  await writeFile(join(tree, 'index.js'), 'console.log("from npm");\n');
  const file = join(directory, 'own-thing.tgz');
  await mustRun(['tar', '-czf', file, '-C', directory, 'package']);
  return readFile(file);
}

function npmFiles(host: string, tarball: Buffer): Files {
  const shasum = createHash('sha1').update(tarball).digest('hex');
  const dist = { tarball: `https://${host}/own-thing.tgz`, shasum };
  const name = 'own-thing';
  const about = {
    ...{ name, 'dist-tags': { latest: '1.0.0' } },
    versions: { '1.0.0': { name, version: '1.0.0', dist } },
  };
  return [
    ['own-thing', Buffer.from(JSON.stringify(about))],
    ['own-thing.tgz', tarball],
  ];
}

/** A repository as plain files, which git reads over HTTP (the "dumb" protocol). */
async function gitFiles(directory: string): Promise<Files> {
  const [work, bare] = [join(directory, 'work'), join(directory, 'bare')];
  const git = (...args: string[]) =>
    mustRun(['git', '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
  await git('init', '--quiet', '--initial-branch=main', work);
  await writeFile(join(work, 'README'), 'from git\n');
  await git('-C', work, 'add', 'README');
  await git('-C', work, 'commit', '--quiet', '--message', 'first');
  await git('clone', '--quiet', '--bare', work, bare);
  await git('-C', bare, 'update-server-info');
  const entries = await readdir(bare, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return [`project.git/${relative(bare, path)}`, await readFile(path)] as const;
      }),
  );
}
