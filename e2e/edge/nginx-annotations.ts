import { createServer, type Server } from 'node:http';
import { hashSync } from 'bcryptjs';
import { expect, it } from 'vitest';
import { upstreamAddresses } from '../netns.ts';
import { check } from './expected.ts';
import { type AnnotatedSite, annotatedIngress, annotatedSites } from './nginx-table.ts';
import { nginx, secret, servicePort, site } from './objects.ts';
import { type Chapter, clientAddress } from './world.ts';

/** 10.77.0.28, which the table names. */
const authAddress = upstreamAddresses[8] ?? '';

/** What a row asks, for its name. */
const words = ({ name, annotations }: AnnotatedSite): string => `${name} ${JSON.stringify(annotations)}`;

export const nginxAnnotations: Chapter = {
  title: 'annotations of ingress-nginx, edge.md section 2',

  objects: () => [
    ...annotatedSites.map(annotatedIngress),
    secret('users', { auth: `ann:${hashSync('secret', 4)}\n` }),
    site('sticky.example.com', {
      service: 'both',
      annotations: nginx({
        affinity: 'cookie',
        'session-cookie-name': 'route',
        'session-cookie-samesite': 'Lax',
        'session-cookie-max-age': '60',
      }),
    }),
    site('hashed.example.com', { service: 'both', annotations: nginx({ 'upstream-hash-by': '$arg_key' }) }),
    site('rate.example.com', { annotations: nginx({ 'limit-rps': '1', 'limit-burst-multiplier': '1' }) }),
    site('crowd.example.com', {
      annotations: nginx({
        'limit-connections': '2',
        'proxy-read-timeout': '1',
        'proxy-next-upstream': 'off',
      }),
    }),
  ],

  async prepare() {
    const server: Server = createServer((request, response) => {
      const user = request.headers['x-who'];
      response.writeHead(user === 'ann' ? 200 : user === 'bob' ? 403 : 401, { 'x-user': user ?? '' }).end();
    });
    await new Promise<void>(resolve => server.listen(servicePort, authAddress, resolve));
    return () => {
      server.closeAllConnections();
      server.close();
    };
  },

  tests(world) {
    it.each(
      annotatedSites.filter(({ requests }) => requests.length > 0).map(row => [words(row), row] as const),
    )('table of annotations: %s', async (_words, { name, host = `${name}.example.com`, requests }) => {
      const { ask, askTls } = world();
      for (const [{ secure, ...question }, expected] of requests)
        check(await (secure === true ? askTls : ask)(host, question), expected);
    });

    it('a client stays with its endpoint by a cookie, which is for HTTP alone', async () => {
      const first = await world().ask('sticky.example.com');
      const given = first.headers['set-cookie']?.[0] ?? '';
      expect(given).toMatch(/^route=[^;]+; .*Max-Age=60/i);
      expect(given).toMatch(/HttpOnly/i);
      expect(given).toMatch(/SameSite=Lax/i);
      const cookie = given.split(';')[0] ?? '';
      for (let count = 0; count < 4; count += 1) {
        const again = await world().ask('sticky.example.com', { headers: { cookie } });
        expect(again.seen().upstream).toBe(first.seen().upstream);
        expect(again.headers['set-cookie']).toBeUndefined();
      }
    });

    it('equal keys go to the same endpoint, and others to others', async () => {
      const served = async (key: number) =>
        (await world().ask('hashed.example.com', { path: `/?key=${key}` })).seen().upstream;
      expect(await served(1)).toBe(await served(1));
      const keys = Array.from({ length: 16 }, (_, at) => at);
      expect(new Set(await Promise.all(keys.map(served)))).toEqual(new Set(['one', 'two']));
    });

    it('limit-rps: who asks too often gets 503, and others do not', async () => {
      const statuses: number[] = [];
      for (let count = 0; count < 12; count += 1)
        statuses.push((await world().ask('rate.example.com', { from: clientAddress })).status);
      expect(statuses[0]).toBe(200);
      expect(statuses).toContain(503);
      expect((await world().ask('rate.example.com')).status).toBe(200);
    });

    it('limit-connections: more requests at the same time get 503', async () => {
      const slow = Array.from({ length: 8 }, () =>
        world().ask('crowd.example.com', { path: '/?slow', headers: { connection: 'close' } }),
      );
      const statuses = (await Promise.all(slow)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([503, 504]));
    });
  },
};
