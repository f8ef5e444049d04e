import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from './api/meta.ts';
import { makeAuthority, type TestAuthority } from './edge/certificates.testing.ts';
import { send } from './edge/clients.testing.ts';
import { aSecret, aService, aSlice } from './edge/compile/builders.testing.ts';
import { startTestEdge } from './edge/edge.testing.ts';
import { startUpstream } from './edge/upstreams.testing.ts';
import { declarationOf } from './kube/standalone/declared-object.ts';

/*
 * Runs the examples of documents about the edge. Of each heading, the YAML blocks are applied, the Services and Secrets that
 * they name are made up, and the curl commands are sent to a real edge: what is below each is what must come back. An upstream
 * answers with what it got; port 443 speaks TLS. Secrets whose name tells that they are missing are missing.
 */

const documents = [
  'docs/ingress.md',
  'docs/upstream-tls.md',
  'docs/migrating-from-ingress-nginx.md',
  'docs/migrating-from-emissary.md',
];

interface Example {
  readonly title: string;
  readonly manifests: string;
  readonly commands: readonly { readonly command: string; readonly answer: string }[];
}

function examplesIn(document: string): Example[] {
  const text = readFileSync(join(import.meta.dirname, '..', document), 'utf8');
  return text.split(/^## /m).flatMap(section => {
    const blocks = (language: string): string[] =>
      [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
        ([, code = '']) => code,
      );
    const commands = blocks('console').flatMap(block =>
      [...block.matchAll(/^\$ curl (.*)\n(.*)$/gm)].map(([, command = '', answer = '']) => ({
        command,
        answer,
      })),
    );
    const title = section.slice(0, section.indexOf('\n'));
    return blocks('yaml').length === 0 ? [] : [{ title, manifests: blocks('yaml').join('---\n'), commands }];
  });
}

let authority: TestAuthority;
beforeAll(async () => {
  authority = await makeAuthority();
});

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(close => close()));
});

function declared(manifests: string): KubeObject[] {
  return parseAllDocuments(manifests).map((document, index) => {
    const found = declarationOf(document.toJS());
    if (found.kind !== 'declared') throw new Error(`an example declares nothing: ${JSON.stringify(found)}`);
    const { object } = found;
    // Older first, as they stand in the document.
    const creationTimestamp = `2026-01-01T00:00:${String(index).padStart(2, '0')}Z`;
    return { ...object, metadata: { ...object.metadata, creationTimestamp } };
  });
}

/** `service port` pairs that the manifests name. */
function backendsIn(manifests: string): Map<string, Set<string | number>> {
  const ports = new Map<string, Set<string | number>>();
  const note = (service: string, port: string | number): void => {
    ports.set(service, (ports.get(service) ?? new Set()).add(port));
  };
  for (const [, name = '', kind, port = ''] of manifests.matchAll(
    /service: \{ name: ([\w-]+), port: \{ (name|number): (\w+) \} \}/g,
  ))
    note(name, kind === 'number' ? Number(port) : port);
  for (const [, name = '', port = ''] of manifests.matchAll(/serviceName: ([\w-]+)\n\s+servicePort: (\d+)/g))
    note(name, Number(port));
  for (const [, scheme, name = '', port] of manifests.matchAll(
    /^ {2}service: (https:\/\/)?([\w-]+)(?:\.default)?(?::(\d+))?$/gm,
  ))
    note(name, Number(port ?? (scheme === undefined ? 80 : 443)));
  return ports;
}

async function upstreamFor(
  service: string,
  port: string | number,
  names: readonly string[],
): Promise<number> {
  const isSecure = port === 443;
  const { chain, key } = await authority.issue(names);
  const tls = { cert: chain, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: false };
  const upstream = await startUpstream(
    (request, response) => {
      const socket = request.socket as TLSSocket;
      const client = isSecure ? socket.getPeerCertificate().subject?.['CN'] : undefined;
      const spoken = isSecure
        ? ` over ${socket.getProtocol()}, SNI ${String(socket.servername)}, client ${String(client)}`
        : '';
      response.end(`${request.method} ${request.url} by ${service}:${port}${spoken}`);
    },
    isSecure ? tls : undefined,
  );
  open.push(() => upstream.close());
  return upstream.port;
}

async function worldOf(manifests: string): Promise<KubeObject[]> {
  const names = [...manifests.matchAll(/^ +sni: (\S+)$/gm)].map(([, name = '']) => name);
  const objects = declared(manifests);
  for (const [service, ports] of backendsIn(manifests)) {
    const made = [...ports].map((port, index) => ({
      name: typeof port === 'string' ? port : `p${port}`,
      port: typeof port === 'number' ? port : 1000 + index,
    }));
    objects.push(aService(service, { ports: made }));
    for (const [index, port] of [...ports].entries()) {
      const number = await upstreamFor(service, port, [`${service}.default.svc`, ...names]);
      const slice = aSlice(
        service,
        [{ addresses: ['127.0.0.1'] }],
        [{ name: made[index]?.name ?? '', port: number }],
      );
      objects.push({ ...slice, metadata: { ...slice.metadata, name: `${service}-${index}` } });
    }
  }
  const secretNames = [
    ...manifests.matchAll(/(?:secret|secretName|proxy-ssl-secret): (?:default\/)?([\w-]+)$/gm),
  ].map(([, name = '']) => name);
  const hosts = [...manifests.matchAll(/hosts: \[([^\]]+)\]/g)].flatMap(([, list = '']) =>
    list.split(/,\s*/),
  );
  for (const name of new Set(secretNames)) {
    if (name === 'does-not-exist') continue;
    const { chain, key } = await authority.issue([name, ...hosts]);
    const isAuthority = name === 'authority' && manifests.includes('ca_secret');
    const data = isAuthority
      ? { 'tls.crt': authority.certificate }
      : { 'tls.crt': chain, 'tls.key': key, 'ca.crt': authority.certificate };
    objects.push(aSecret(name, data));
  }
  return objects;
}

async function answerTo(command: string, edge: { httpPort: number; httpsPort: number }): Promise<string> {
  const header = /-H '([^:]+): ([^']*)' /.exec(command);
  const [, scheme, host = '', path = '/'] = /(https?):\/\/([^/]+)(\/\S*)?$/.exec(command) ?? [];
  const headers = header === null ? {} : { [header[1] ?? '']: header[2] ?? '' };
  const answer = await send({
    port: scheme === 'https' ? edge.httpsPort : edge.httpPort,
    host,
    path,
    headers,
    ...(scheme === 'https' ? { tls: { ca: authority.certificate, serverName: host } } : {}),
  });
  const { location } = answer.headers;
  if (location !== undefined) return `${answer.status} ${location}`;
  return answer.status === 200 ? `200 ${answer.body}` : String(answer.status);
}

describe.each(documents)('%s', document => {
  const examples = examplesIn(document);

  it('has a command for each of its manifests', () => {
    expect(examples.length).toBeGreaterThan(0);
    expect(examples.filter(({ commands }) => commands.length === 0).map(({ title }) => title)).toEqual([]);
  });

  it.each(examples.map(example => [example.title, example] as const))(
    'runs: %s',
    async (_title, { manifests, commands }) => {
      const started = await startTestEdge(await worldOf(manifests), {
        ingressClasses: ['nginx'],
        httpsRedirectPort: 443,
      });
      open.push(() => started.edge.stop());
      const answers: string[] = [];
      for (const { command } of commands)
        answers.push(`$ curl ${command}\n${await answerTo(command, started)}`);
      expect(answers).toEqual(commands.map(({ command, answer }) => `$ curl ${command}\n${answer}`));
    },
  );
});
