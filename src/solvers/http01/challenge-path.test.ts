import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ingress, IngressRule } from '../../api/kubernetes/ingress.ts';
import { aChallenge } from '../challenge.testing.ts';
import { type ChallengeRoute, routeOf, withChallengePath, withoutChallengePath } from './challenge-path.ts';

const shop = { service: { name: 'shop', port: { number: 80 } } };
const shopRule: IngressRule = {
  host: 'www.example.com',
  http: { paths: [{ path: '/', pathType: 'Prefix', backend: shop }] },
};

function anIngress(...rules: IngressRule[]): Ingress {
  return { metadata: { name: 'shop', namespace: 'shop' }, spec: rules.length === 0 ? {} : { rules } };
}

function routeFor(host: string, number = 1): ChallengeRoute {
  return { host, path: `/.well-known/acme-challenge/token-of-challenge-${number}` };
}

const pathsOf = (ingress: Ingress, at: number): (string | undefined)[] =>
  (ingress.spec?.rules?.[at]?.http?.paths ?? []).map(path => path.path);

describe('the challenge path in an Ingress', () => {
  it('goes first in the rule of its host', () => {
    const edited = withChallengePath(
      anIngress({ host: 'other.test' }, shopRule),
      routeFor('www.example.com'),
    );
    expect(pathsOf(edited, 1)).toEqual([routeFor('').path, '/']);
    expect(edited.spec?.rules?.[1]?.http?.paths[0]).toMatchObject({
      pathType: 'Exact',
      backend: { service: { name: 'cm-acme-http-solver', port: { number: 8089 } } },
    });
  });

  it('gets a rule of its own where the host has none', () => {
    const edited = withChallengePath(anIngress(shopRule), routeFor('new.example.com'));
    expect(edited.spec?.rules).toHaveLength(2);
    expect(edited.spec?.rules?.[1]?.host).toBe('new.example.com');
  });

  it('gets into a rule without http, which is without http again afterwards', () => {
    const before = anIngress({ host: 'www.example.com' }, shopRule);
    const edited = withChallengePath(before, routeFor('www.example.com'));
    expect(pathsOf(edited, 0)).toEqual([routeFor('').path]);
    expect(withoutChallengePath(edited, routeFor('www.example.com'))).toEqual(before);
  });

  it('is put in once', () => {
    const once = withChallengePath(anIngress(shopRule), routeFor('www.example.com'));
    expect(withChallengePath(once, routeFor('www.example.com'))).toBe(once);
  });

  it('takes the place of the same path to another backend', () => {
    const stale = { ...routeFor(''), pathType: 'Exact' as const, backend: shop };
    const before = anIngress({ host: 'a.test', http: { paths: [{ ...stale, path: routeFor('').path }] } });
    expect(pathsOf(withChallengePath(before, routeFor('a.test')), 0)).toEqual([routeFor('').path]);
  });

  it('changes nothing where there is nothing to remove', () => {
    const before = anIngress(shopRule, { host: 'bare.test' });
    expect(withoutChallengePath(before, routeFor('www.example.com'))).toBe(before);
  });

  it('leaves a path that others put into its rule meanwhile', () => {
    for (const before of [anIngress(), anIngress({ host: 'www.example.com' })]) {
      const edited = withChallengePath(before, routeFor('www.example.com'));
      const [rule] = edited.spec?.rules ?? [];
      const paths = [
        ...(rule?.http?.paths ?? []),
        { path: '/new', pathType: 'Prefix' as const, backend: shop },
      ];
      const changed = { ...edited, spec: { rules: [{ ...rule, http: { paths } }] } };
      const after = withoutChallengePath(changed, routeFor('www.example.com'));
      expect(pathsOf(after, 0)).toEqual(['/new']);
      expect(after.metadata.annotations).toBeUndefined();
    }
  });

  it('leaves a rule that does nothing, where the Ingress would be refused without any', () => {
    const edited = withChallengePath(anIngress(shopRule), routeFor('new.example.com'));
    const [, ours] = edited.spec?.rules ?? [];
    const lonely = { ...edited, spec: { rules: ours === undefined ? [] : [ours] } };
    expect(withoutChallengePath(lonely, routeFor('new.example.com')).spec?.rules).toEqual([
      { host: 'new.example.com' },
    ]);
  });

  it('leaves no trace, whichever challenges come and go in whatever order', () => {
    const hosts = ['', 'a.test', 'b.test', 'c.test'];
    const rule = fc.record({
      host: fc.constantFrom(...hosts),
      paths: fc.option(fc.uniqueArray(fc.constantFrom('/', '/a', '/b'), { minLength: 1 }), {
        nil: undefined,
      }),
    });
    const ingress = fc.uniqueArray(rule, { selector: ({ host }) => host }).map(rules => ({
      ...anIngress(
        ...rules.map(
          ({ host, paths }): IngressRule => ({
            ...(host === '' ? {} : { host }),
            ...(paths === undefined
              ? {}
              : {
                  http: { paths: paths.map(path => ({ path, pathType: 'Prefix' as const, backend: shop })) },
                }),
          }),
        ),
      ),
    }));
    const withBackend = (found: Ingress): Ingress => ({
      ...found,
      spec: { ...found.spec, defaultBackend: shop },
    });
    const routes = fc.uniqueArray(fc.tuple(fc.constantFrom(...hosts), fc.nat(3)), {
      selector: String,
      maxLength: 8,
    });
    fc.assert(
      fc.property(ingress.map(withBackend), routes, fc.infiniteStream(fc.nat()), (before, wanted, order) => {
        let edited = before;
        for (const [host, number] of wanted) edited = withChallengePath(edited, routeFor(host, number));
        const left = [...wanted];
        while (left.length > 0) {
          const [taken] = left.splice((order.next().value ?? 0) % left.length, 1);
          if (taken !== undefined) edited = withoutChallengePath(edited, routeFor(...taken));
        }
        expect(edited).toEqual(before);
      }),
    );
  });
});

describe('the route of a challenge', () => {
  it('is the token below the well-known folder, for the host', () => {
    expect(routeOf(aChallenge({ token: 'token-of-challenge-1' }))).toEqual(routeFor('www.example.com'));
  });

  it.each(['192.0.2.1', '2001:db8::1'])('has no host for the IP address %s', dnsName => {
    expect(routeOf(aChallenge({ dnsName })).host).toBe('');
  });

  it.each([
    { dnsName: 'a.test; proxy_pass http://x' },
    { dnsName: 'a.test\r\nX: y' },
    { dnsName: 'a.test:80' },
    { dnsName: '' },
    { dnsName: '*.a.test' },
    { token: '../../etc/passwd' },
    { token: 'short' },
    { token: 'a-token-with-a-quote"; deny all' },
  ])('is refused where the object was made to inject something: %j', more => {
    expect(() => routeOf(aChallenge(more))).toThrow(
      expect.objectContaining({ code: 'SOLVER_INVALID_CHALLENGE' }),
    );
  });
});
