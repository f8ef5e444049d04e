import { describe, expect, it } from 'vitest';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import type { Condition } from '../api/condition.ts';
import { anEmbeddedApi } from '../kube/embedded/store.testing.ts';
import type { KubeApi } from '../kube/port.ts';
import { put } from './cli-objects.testing.ts';
import { commandLine } from './program.testing.ts';
import { aRequest, condition } from './status/objects.testing.ts';

async function withRequest(...conditions: Condition[]): Promise<KubeApi> {
  const api = anEmbeddedApi();
  await put(api, certificateRequests, aRequest(conditions));
  return api;
}

async function conditionsIn(api: KubeApi): Promise<readonly Condition[] | undefined> {
  const request = await api.get(certificateRequests, { namespace: 'shop', name: 'shop-tls-1' });
  return request.status?.conditions;
}

const pending = condition('Ready', 'False', 'Pending', 'It waits for approval.');

describe.each([
  ['approve', 'approved', 'Approved', 'Denied', 'denied'],
  ['deny', 'denied', 'Denied', 'Approved', 'approved'],
] as const)('postern %s', (verdict, done, type, opposite, undone) => {
  const run = (api: KubeApi, ...flags: string[]) =>
    commandLine([verdict, 'shop-tls-1', '-n', 'shop', ...flags], { api });

  it(`sets the condition ${type}, and keeps the others`, async () => {
    const api = await withRequest(pending);
    const result = await run(api);
    expect([result.status, result.stdout, result.stderr]).toEqual([
      0,
      `CertificateRequest shop/shop-tls-1 is ${done}.\n`,
      '',
    ]);
    expect(await conditionsIn(api)).toEqual([
      pending,
      condition(type, 'True', 'PosternCommandLine', `This was ${done} by "postern ${verdict}".`),
    ]);
  });

  it('takes the reason and the message from flags', async () => {
    const api = await withRequest();
    await run(api, '--reason', 'Policy', '--message', 'asked for in ticket 4711');
    expect(await conditionsIn(api)).toEqual([condition(type, 'True', 'Policy', 'asked for in ticket 4711')]);
  });

  it(`refuses where it is ${undone} already`, async () => {
    const before = condition(opposite, 'True', 'Policy', 'not this one.');
    const api = await withRequest(before);
    const result = await run(api);
    expect([result.status, result.stdout]).toEqual([1, '']);
    expect(result.stderr).toBe(
      `postern: CertificateRequest shop/shop-tls-1 is ${undone} (Policy: not this one), and that is final; a new request, made by renewing its Certificate, can be ${done}.\n`,
    );
    expect(await conditionsIn(api)).toEqual([before]);
  });

  it(`changes nothing where it is ${done} already`, async () => {
    const before = condition(type, 'True', 'Policy', 'by somebody else');
    const api = await withRequest(before);
    const result = await run(api, '--reason', 'Mine');
    expect([result.status, result.stdout]).toEqual([
      0,
      `CertificateRequest shop/shop-tls-1 is ${done} already (Policy: by somebody else).\n`,
    ]);
    expect(await conditionsIn(api)).toEqual([before]);
  });

  it.each([
    [condition('Ready', 'True', 'Issued'), 'has been signed already: there is nothing left to decide.'],
    [condition('Ready', 'False', 'Failed', 'No such account.'), 'has failed already: No such account.'],
  ])('refuses what is over: %j', async (end, sentence) => {
    const api = await withRequest(end);
    const result = await run(api);
    expect([result.status, result.stderr]).toEqual([
      1,
      `postern: CertificateRequest shop/shop-tls-1 ${sentence}\n`,
    ]);
    expect(await conditionsIn(api)).toEqual([end]);
  });

  it('says where there is a request of that name', async () => {
    const result = await commandLine([verdict, 'shop-tls-1'], { api: await withRequest() });
    expect([result.status, result.stderr]).toEqual([
      1,
      'postern: There is no CertificateRequest "shop-tls-1" in namespace "default"; there is one in "shop": name it by --namespace.\n',
    ]);
  });

  it.each([
    [[], `postern ${verdict} takes the name of one CertificateRequest.`],
    [['a', 'b'], `postern ${verdict} takes the name of one CertificateRequest.`],
    [
      ['a', '--reason', 'two words'],
      '--reason: "two words" is not a reason: one word of letters, digits, "_", "-", "." and ",", beginning with a letter.',
    ],
  ])('refuses %j', async (argv, problem) => {
    const result = await commandLine([verdict, ...argv]);
    expect([result.status, result.stderr]).toEqual([
      2,
      `postern: ${problem}\nSee "postern help ${verdict}".\n`,
    ]);
  });

  it('has this help', async () => {
    const { stdout } = await commandLine(['help', verdict]);
    await expect(stdout).toMatchFileSnapshot(`golden/help-${verdict}.txt`);
  });
});
