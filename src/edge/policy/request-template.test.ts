import { describe, expect, it } from 'vitest';
import { aHead } from './heads.testing.ts';
import { fillTemplate, parseRequestTemplate } from './request-template.ts';

const head = aHead({
  host: 'foo.com:8443',
  target: '/a/b%20c?x=1&y=2',
  publicPort: 8443,
  fields: ['X-Tenant', 'blue', 'Cookie', 'a=1; sid=abc', 'User-Agent', 'curl'],
});

describe('templates of requests', () => {
  it.each([
    ['plain', 'plain'],
    ['https://$host$request_uri', 'https://foo.com/a/b%20c?x=1&y=2'],
    ['$http_host|$best_http_host|$server_name', 'foo.com:8443|foo.com:8443|foo.com'],
    ['rd=$escaped_request_uri', 'rd=%2Fa%2Fb%2520c%3Fx%3D1%26y%3D2'],
    ['${uri}-$is_args$args', '/a/b%20c-?x=1&y=2'],
    ['$scheme $pass_access_scheme', 'https https'],
    ['$request_method $remote_addr $the_real_ip $server_port', 'GET 192.0.2.1 192.0.2.1 8443'],
    ['$http_x_tenant/$http_missing/$cookie_sid/$arg_y', 'blue//abc/2'],
    ['$server_protocol$port_suffix', 'HTTP/1.1:8443'],
    ['5$', '5$'],
  ])('%s gives %s', (text, expected) => {
    expect(fillTemplate(text, head)).toBe(expected);
  });

  it('a trusted proxy has told who it is', () => {
    expect(
      fillTemplate('$scheme://$remote_addr', head, { scheme: 'http', clientAddress: '203.0.113.7' }),
    ).toBe('http://203.0.113.7');
  });

  it.each(['$pid', '${secret}', '$upstream_addr', '$__proto__', '$constructor'])('%s is not known', text => {
    expect(parseRequestTemplate(text)).toHaveProperty('error');
    expect(fillTemplate(text, head)).toBe('');
  });
});
