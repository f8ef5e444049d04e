import { beforeAll, describe, expect, it } from 'vitest';
import { type CsrInfo, createCsr, parseCsr } from '../../pki/csr.ts';
import { generatePrivateKey } from '../../pki/private-key.ts';
import { createAuthority, type TestAuthority } from '../authority.testing.ts';
import { signedProblem } from './signed-problem.ts';

const nowMs = Date.UTC(2026, 0, 1);
let authority: TestAuthority;
let key: Awaited<ReturnType<typeof generatePrivateKey>>;

beforeAll(async () => {
  authority = await createAuthority('Test CA', nowMs);
  key = await generatePrivateKey({ algorithm: 'ECDSA' });
});

const asked = async (dnsNames: string[], ipAddresses: string[] = [], by = key): Promise<CsrInfo> =>
  parseCsr(await createCsr({ dnsNames, ipAddresses, key: by }));

async function given(dnsNames: string[], ipAddresses: string[] = [], by = key): Promise<string> {
  const pem = await createCsr({ dnsNames, ipAddresses, key: by });
  return authority.sign(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'), nowMs);
}

describe('a certificate that an issuer gave', () => {
  it.each<[string, string[], string[], string[], string[]]>([
    ['for the names of the request', ['a.example.com'], [], ['a.example.com'], []],
    ['for its names in another spelling', ['A.example.com'], [], ['a.Example.com'], []],
    ['for more than its names', ['a.example.com'], [], ['a.example.com', 'b.example.com'], []],
    ['for its addresses', [], ['192.0.2.1', '2001:db8::1'], [], ['192.0.2.1', '2001:0db8:0::1']],
  ])('%s is taken', async (_what, names, addresses, dnsNames, ipAddresses) => {
    const problem = signedProblem(await given(dnsNames, ipAddresses), await asked(names, addresses));
    expect(problem).toBeUndefined();
  });

  it('for another key is not', async () => {
    const other = await generatePrivateKey({ algorithm: 'ECDSA' });
    const chain = await given(['a.example.com'], [], other);
    expect(signedProblem(chain, await asked(['a.example.com']))).toContain('for another key');
  });

  it('without some of its names is not', async () => {
    const chain = await given(['a.example.com']);
    const csr = await asked(['a.example.com', '*.example.com'], ['192.0.2.1']);
    expect(signedProblem(chain, csr)).toBe(
      'The issuer gave a certificate without "*.example.com", "192.0.2.1", which the request asks for.',
    );
  });

  it('that is none is not', async () => {
    expect(signedProblem('x', await asked(['a.example.com']))).toMatch(
      /^The issuer gave no valid certificate: .*\.$/,
    );
  });
});
