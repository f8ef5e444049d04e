import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { ingresses } from '../../src/api/kubernetes/ingress.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { http01SolverLabel } from '../../src/api/labels.ts';
import { acmeTally } from '../harness/acme-tally.ts';
import { httpGet } from '../harness/http-get.ts';
import type { HttpsAnswer } from '../harness/https-get.ts';
import { acmeClusterIssuer, ingress } from '../harness/manifests.ts';
import { askPostern } from '../harness/postern.ts';
import { killServer } from '../harness/server-process.ts';
import { prepareStandalone, type Standalone } from '../harness/standalone-process.ts';
import { startUpstream, type Upstream } from '../harness/upstream.ts';

const byPebble = { 'cert-manager.io/cluster-issuer': 'pebble' };

describe('standalone', () => {
  let standalone: Standalone;
  let upstream: Upstream;

  beforeAll(async () => {
    standalone = await prepareStandalone();
    upstream = await startUpstream({ name: 'site', address: '127.0.0.1', port: 0 });
    const { pebble } = standalone;
    await standalone.write('issuer.json', acmeClusterIssuer('pebble', pebble.directoryUrl, pebble.rootCaPem));
    await standalone.write('upstreams.yaml', upstreams(upstream.port));
    await standalone.write('kept.yaml', site('kept'));
    await standalone.start();
  });

  afterAll(async () => {
    await standalone?.stop();
    await upstream?.stop();
  });

  const site = (
    name: string,
    host = `${name}.example.com`,
    annotations: Record<string, string> = byPebble,
  ): string => ingress({ name, host, annotations, service: { name: 'by-name', port: 80 } });

  const served = (host: string, path = '/'): Promise<HttpsAnswer> =>
    standalone.eventually(`https://${host}${path} is served, verified`, async () => {
      const answer = await standalone.get(host, path);
      return answer.status === 200 && answer;
    });

  const statusOf = async (host: string): Promise<number> =>
    (await httpGet({ host, address: '127.0.0.1', port: standalone.ports.http })).status;

  const ready = (name: string) =>
    standalone.eventually(`${name} is Ready`, () =>
      standalone.look(view => view.readyCertificate(`${name}-tls`)),
    );

  const serial = (name: string): Promise<string | undefined> =>
    standalone.look(view => view.serial(`${name}-tls`));

  const tally = () => acmeTally(join(standalone.dir, 'pebble'));

  /** Flags of a second Postern on the same manifests. */
  const onFreePorts = (stateDir: string): string[] => [
    ...['--standalone', standalone.manifests, '--state-dir', stateDir],
    ...['--http-listen', '127.0.0.1:0', '--https-listen', '127.0.0.1:0'],
    ...['--solver-listen', '127.0.0.1:0', '--metrics-listen-address', '127.0.0.1:0'],
  ];

  const logLine = (pattern: RegExp): Promise<string> =>
    standalone.eventually(`the log says ${pattern}`, async () => {
      const log = await readFile(standalone.postern.logFile, 'utf8');
      return log.split('\n').find(line => pattern.test(line));
    });

  it('a folder of manifests becomes HTTPS sites', async () => {
    await served('kept.example.com');
    const certificate = await ready('kept');
    expect(certificate.metadata.ownerReferences).toMatchObject([{ kind: 'Ingress', name: 'kept' }]);
    await standalone.eventually('nothing is left of the challenge', () =>
      standalone.look(async view => (await view.leftovers()).length === 0),
    );
    expect(await statusOf('kept.example.com')).toBe(308);
  });

  it('Services lead to their upstreams by externalName, by Endpoints and by EndpointSlice', async () => {
    await standalone.write(
      'services.json',
      ingress({
        name: 'services',
        host: 'services.example.com',
        annotations: byPebble,
        paths: ['by-name', 'by-endpoints', 'by-slice'].map(name => [
          `/${name}`,
          'Prefix',
          { name, port: 80 },
        ]),
      }),
    );
    for (const path of ['/by-name', '/by-endpoints', '/by-slice']) {
      const { body } = await served('services.example.com', path);
      expect(JSON.parse(body)).toMatchObject({ upstream: 'site', path });
    }
  });

  it.each(['networking.k8s.io/v1beta1', 'extensions/v1beta1'])(
    'an Ingress of %s is secured and served',
    async version => {
      const name = version.replaceAll(/\W/g, '-');
      await standalone.write(
        `${name}.yaml`,
        `
apiVersion: ${version}
kind: Ingress
metadata:
  name: ${name}
  annotations: {kubernetes.io/ingress.class: postern, kubernetes.io/tls-acme: "true"}
spec:
  tls: [{hosts: [${name}.example.com], secretName: ${name}-tls}]
  rules: [{host: ${name}.example.com, http: {paths: [{backend: {serviceName: by-name, servicePort: 80}}]}}]
`,
      );
      await served(`${name}.example.com`);
    },
  );

  it('a manifest that is added, changed and removed is followed at once; its Secret stays', async () => {
    await standalone.write('changing.yaml', site('changing', 'first.example.com'));
    await served('first.example.com');
    const first = await serial('changing');
    await standalone.write('changing.yaml', site('changing', 'second.example.com'));
    await served('second.example.com');
    expect(await serial('changing')).not.toBe(first);
    expect(await statusOf('first.example.com')).toBe(404);

    const kept = await serial('changing');
    await standalone.remove('changing.yaml');
    await standalone.eventually('the Ingress and its Certificate are gone', () =>
      standalone.look(
        async view =>
          (await view.find(ingresses, 'changing')) === undefined &&
          (await view.find(certificates, 'changing-tls')) === undefined,
      ),
    );
    await standalone.eventually(
      'nothing is served there',
      async () => (await statusOf('second.example.com')) === 404,
    );
    expect(await standalone.look(view => view.find(secrets, 'changing-tls'))).toBeDefined();
    expect(await serial('changing')).toBe(kept);
  });

  it('a manifest that does not parse is named with file, line and reason, and the others work on', async () => {
    await standalone.write('broken.yaml', 'apiVersion: v1\nkind: Service\nmetadata:\n  name: [broken\n');
    await standalone.write(
      'wrong.yaml',
      `apiVersion: v1
kind: Service
metadata: {name: fine}
spec: {type: ExternalName, externalName: localhost, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: wrong
spec:
  rules:
    - host: wrong.example.com
      http:
        paths:
          - path: no-slash
            pathType: Prefix
            backend: {service: {name: by-name, port: {number: 80}}}
`,
    );
    await standalone.write('beside.yaml', site('beside'));
    expect(await logLine(/broken\.yaml:/)).toMatch(
      new RegExp(`${join(standalone.manifests, 'broken.yaml')}:[45]:\\d+: does not parse: .+`),
    );
    expect(await logLine(/wrong\.yaml:/)).toMatch(
      new RegExp(`${join(standalone.manifests, 'wrong.yaml')}:15:\\d+: .*path.*"no-slash"`),
    );
    await served('beside.example.com');
    await served('kept.example.com');

    await standalone.write('wrong.yaml', site('wrong'));
    await standalone.remove('broken.yaml');
    await served('wrong.example.com');
  });

  it('status says that everything is ready, and exits with 0', async () => {
    await standalone.eventually('ready', async () => (await standalone.status()).status === 0);
    const { stdout, stderr } = await standalone.status();
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^default +kept +kept\.example\.com +ready +kept-tls .* kept-tls +\d{4}-\d\d-\d\d/m,
    );
    const { ready: isReady, items } = JSON.parse((await standalone.status('-o', 'json')).stdout) as {
      ready: boolean;
      items: { ingress: string; state: string; secret: { notAfter: string } }[];
    };
    expect(isReady).toBe(true);
    expect(items.find(item => item.ingress === 'kept')).toMatchObject({
      state: 'ready',
      certificate: { name: 'kept-tls', ready: true, issuer: 'ClusterIssuer/pebble' },
      secret: { name: 'kept-tls', state: 'usable', notAfter: expect.stringMatching(/^\d{4}-/) },
    });
  });

  it('status names the deepest cause of what is not ready, and exits with 1', async () => {
    const { pebble } = standalone;
    onTestFinished(async () => {
      await pebble.clearHost('nowhere.example.com');
      for (const file of ['nowhere.yaml', 'unsigned.yaml']) await standalone.remove(file);
    });
    await pebble.failHost('nowhere.example.com');
    await standalone.write('nowhere.yaml', site('nowhere'));
    await standalone.write(
      'unsigned.yaml',
      site('unsigned', undefined, { 'cert-manager.io/issuer': 'absent' }),
    );
    const { stdout } = await standalone.eventually('both causes are told', async () => {
      const answer = await standalone.status();
      return (
        answer.status === 1 &&
        /challenge for nowhere\.example\.com/.test(answer.stdout) &&
        /self-check/.test(answer.stdout) &&
        /Issuer "absent"/.test(answer.stdout) &&
        answer
      );
    });
    expect(stdout).toMatch(
      /Ingress default\/nowhere \(nowhere\.example\.com\):\n {2}.*HTTP-01 challenge for nowhere\.example\.com waits: The self-check fails: nowhere\.example\.com does not resolve/,
    );
    expect(stdout).toMatch(
      /Ingress default\/unsigned \(unsigned\.example\.com\):\n {2}There is no Issuer "absent" in namespace "default"; create it/,
    );
    expect(stdout).toMatch(/^default +kept +kept\.example\.com +ready /m);

    expect(stdout).not.toContain('cm-acme-http-solver');

    for (const file of ['nowhere.yaml', 'unsigned.yaml']) await standalone.remove(file);
    await standalone.eventually('all is ready again', async () => (await standalone.status()).status === 0);
    await standalone.eventually('nothing is left of what was under way', () =>
      standalone.look(async view => (await view.leftovers()).length === 0),
    );
  });

  it('killed and started again, it serves the same certificates and orders none', async () => {
    const before = await tally();
    const certificate = (await served('kept.example.com')).certificate.serialNumber;
    await killServer(standalone.postern);
    await standalone.start();
    expect((await served('kept.example.com')).certificate.serialNumber).toBe(certificate);
    // One that is made now shows that the controllers have been through: nothing is ordered but it.
    await standalone.write('later.yaml', site('later'));
    await ready('later');
    const after = await tally();
    expect(after.orders - before.orders).toBe(1);
    expect(after.issued.slice(before.issued.length)).toEqual([await serial('later')]);
  });

  it('killed in the middle of an issuance, it carries on with the same order', async () => {
    const before = await tally();
    const host = 'interrupted.example.com';
    await standalone.pebble.failHost(host);
    await standalone.write('interrupted.yaml', site('interrupted'));
    await standalone.eventually('the challenge is presented', () =>
      standalone.look(async view =>
        (await view.list(ingresses)).some(
          ({ metadata, spec }) =>
            metadata.labels?.[http01SolverLabel] === 'true' && spec?.rules?.[0]?.host === host,
        ),
      ),
    );
    await killServer(standalone.postern);
    await standalone.pebble.clearHost(host);
    await standalone.start();
    await served(host);
    const after = await tally();
    expect(after.orders - before.orders).toBe(1);
    expect(after.issued.length - before.issued.length).toBe(1);
    await standalone.eventually('nothing is left of the challenge', () =>
      standalone.look(async view => (await view.leftovers()).length === 0),
    );
  });

  it('a second process on the same state folder is refused, and the first one works on', async () => {
    const { status, stderr } = await askPostern(['run', ...onFreePorts(standalone.stateDir)]);
    expect(status).toBe(1);
    expect(stderr).toContain(
      `The state folder ${standalone.stateDir} is in use by another Postern (process ${standalone.postern.pid}).`,
    );
    expect(stderr).toContain('--state-dir');
    expect(stderr.match(/is in use/g)).toHaveLength(1);
    await served('kept.example.com');
  });

  it('the state folder and all that is in it are the owner’s alone', async () => {
    const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
    expect(await modeOf(standalone.stateDir)).toBe('700');
    const files = await readdir(standalone.stateDir);
    expect(files).toContain('state.db');
    for (const file of files)
      expect([file, await modeOf(join(standalone.stateDir, file))]).toEqual([file, '600']);
  });

  it('told to end, it exits with 0, and the folder is free again', async () => {
    const { postern } = standalone;
    postern.signal('SIGTERM');
    await postern.exited;
    expect(postern.exitStatus()).toBe(0);
    await standalone.start();
    await served('kept.example.com');
  });

  it('told to end twice, it ends at once, though a request is under way', async () => {
    const { postern, ports } = standalone;
    const client = connect({ port: ports.https, servername: 'kept.example.com', rejectUnauthorized: false });
    client.on('error', () => {});
    client.write(
      'POST / HTTP/1.1\r\nhost: kept.example.com\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n',
    );
    const [continues] = (await once(client, 'data')) as [Buffer];
    expect(continues.toString()).toContain('100 Continue');

    postern.signal('SIGTERM');
    await postern.until(
      'it says that it ends',
      async () => readFileSync(postern.logFile, 'utf8').includes('again to end at once'),
      5_000,
    );
    postern.signal('SIGTERM');
    await postern.exited;
    expect(postern.exitStatus()).toBe(143);
    client.destroy();
    await standalone.start();
  });

  it.each(['--http-listen', '--https-listen', '--solver-listen', '--metrics-listen-address'])(
    'a port of %s that another has is named, and the exit status is 1',
    async flag => {
      const other = createServer();
      await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      try {
        const flags = onFreePorts(join(standalone.dir, 'other'));
        flags[flags.indexOf(flag) + 1] = `127.0.0.1:${port}`;
        const { status, stderr } = await askPostern(['run', ...flags]);
        const said = stderr.split('\n').find(line => line.includes(`127.0.0.1:${port}`));
        expect(said).toContain(flag);
        expect(status).toBe(1);
      } finally {
        other.close();
      }
    },
  );

  it.each([
    [['run', '--htps-listen', ':8443'], /--htps-listen.*--https-listen/],
    [['run', '--standalone', '/nowhere', '--acme-http01-port', 'eighty'], /--acme-http01-port.*"eighty"/],
    [['status', '--sate-dir', '/x'], /--sate-dir.*--state-dir/],
  ])('%j is refused by name, with exit status 2', async (args, pattern) => {
    const { status, stdout, stderr } = await askPostern(args);
    expect(stderr).toMatch(pattern);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

function upstreams(port: number): string {
  return `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: postern}
spec: {controller: postern.dev/ingress}
---
apiVersion: v1
kind: Service
metadata: {name: by-name}
spec: {type: ExternalName, externalName: localhost, ports: [{port: 80, targetPort: ${port}}]}
---
apiVersion: v1
kind: Service
metadata: {name: by-endpoints}
spec: {ports: [{name: web, port: 80, targetPort: ${port}}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: by-endpoints}
subsets: [{addresses: [{ip: 127.0.0.1}], ports: [{name: web, port: ${port}}]}]
---
apiVersion: v1
kind: Service
metadata: {name: by-slice}
spec: {ports: [{name: web, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: by-slice, labels: {kubernetes.io/service-name: by-slice}}
addressType: IPv4
endpoints: [{addresses: [127.0.0.1]}]
ports: [{name: web, port: ${port}}]
`;
}
