import { describe, expect, it, onTestFinished } from 'vitest';
import { problem, type ScriptedAcme, scriptedAcme } from '../../acme/scripted-acme.testing.ts';
import type { AcmeIssuerConfig } from '../../api/acme/issuer-config.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { anIssuer, anIssuerGround, aSecret, type IssuerGround } from '../ground.testing.ts';
import type { SetUpResult } from '../issuer.ts';
import { type AcmeAccounts, createAcmeAccounts } from './accounts.ts';
import { createAccountSetUp } from './set-up.ts';

interface Bench extends IssuerGround {
  readonly acme: ScriptedAcme;
  readonly accounts: AcmeAccounts;
  /** Sets up, and stores in the issuer what came of it, as the reconciler does. */
  readonly setUp: (change?: (issuer: Issuer) => Issuer) => Promise<SetUpResult>;
  readonly issuer: () => Issuer;
}

async function aBench(config: Partial<AcmeIssuerConfig> = {}): Promise<Bench> {
  const ground = await anIssuerGround();
  const acme = await scriptedAcme();
  onTestFinished(() => acme.close());
  const accounts = createAcmeAccounts(ground.context, { userAgent: 'test' });
  onTestFinished(() => accounts.close());
  const setUpAccount = createAccountSetUp(accounts, ground.clock);
  let issuer = anIssuer({
    acme: {
      server: acme.directoryUrl,
      email: 'ops@example.com',
      privateKeySecretRef: { name: 'account' },
      solvers: [{ http01: { ingress: {} } }],
      ...config,
    },
  });
  return {
    ...ground,
    acme,
    accounts,
    issuer: () => issuer,
    async setUp(change = one => one) {
      const changed = change(issuer);
      const generation = (issuer.metadata.generation ?? 0) + (changed === issuer ? 0 : 1);
      issuer = { ...changed, metadata: { ...changed.metadata, generation } };
      const result = await setUpAccount(issuer, new AbortController().signal);
      const ready = {
        type: 'Ready',
        status: result.ready ? ('True' as const) : ('False' as const),
        reason: result.reason,
        observedGeneration: generation,
      };
      issuer = { ...issuer, status: { ...issuer.status, ...result.status, conditions: [ready] } };
      return result;
    },
  };
}

const withAcme =
  (change: Partial<AcmeIssuerConfig>) =>
  (issuer: Issuer): Issuer => ({
    ...issuer,
    spec: { acme: { ...(issuer.spec.acme as AcmeIssuerConfig), ...change } },
  });

describe('setting an ACME issuer up', () => {
  it('registers its account, and not again while nothing changes', async () => {
    const { acme, setUp, issuer } = await aBench();
    expect(await setUp()).toMatchObject({
      ready: true,
      reason: 'ACMEAccountRegistered',
      message: `The ACME account is registered with ${new URL(acme.origin).host}.`,
    });
    expect(issuer().status?.acme).toMatchObject({
      uri: `${acme.origin}/account/1`,
      lastRegisteredEmail: 'ops@example.com',
    });
    await setUp();
    expect(acme.count('/account')).toBe(1);
    expect(acme.seen.find(({ path }) => path === '/account')?.payload).toEqual({
      termsOfServiceAgreed: true,
      contact: ['mailto:ops@example.com'],
    });
  });

  it('asks again when the spec has changed, and when the key has', async () => {
    const { acme, api, setUp } = await aBench();
    await setUp();
    await setUp(withAcme({ preferredChain: 'X' }));
    expect(acme.count('/account')).toBe(2);
    await api.delete(secrets, { namespace: 'shop', name: 'account' });
    expect(await setUp()).toMatchObject({ ready: true });
    expect(acme.count('/account')).toBe(3);
  });

  it('changes the contact of an account that was there before', async () => {
    const { acme, setUp, issuer } = await aBench();
    acme.on('/account/1', { body: { status: 'valid' } });
    await setUp();
    expect(acme.count('/account/1')).toBe(0);
    expect(await setUp(withAcme({ email: 'new@example.com' }))).toMatchObject({ ready: true });
    expect(acme.seen.at(-1)).toMatchObject({
      path: '/account/1',
      payload: { contact: ['mailto:new@example.com'] },
    });
    expect(issuer().status?.acme?.lastRegisteredEmail).toBe('new@example.com');
  });

  it('tells its contact to an account that an issuer before it made', async () => {
    const { acme, setUp, issuer } = await aBench();
    const location = `${acme.origin}/account/7`;
    acme.on('/account', { status: 200, headers: { location }, body: { status: 'valid' } });
    acme.on('/account/7', { body: { status: 'valid' } });
    await setUp();
    expect(acme.seen.at(-1)).toMatchObject({
      path: '/account/7',
      payload: { contact: ['mailto:ops@example.com'] },
    });
    expect(issuer().status?.acme).toMatchObject({ uri: location, lastRegisteredEmail: 'ops@example.com' });
  });

  it('says which step failed when the contact is refused', async () => {
    const { acme, setUp, issuer } = await aBench();
    await setUp();
    acme.on('/account/1', { status: 400, body: problem('invalidContact', 'no such domain') });
    const result = await setUp(withAcme({ email: 'new@nowhere' }));
    expect(result).toMatchObject({ ready: false, reason: 'ErrUpdateACMEAccount' });
    expect(result.message).toContain('invalidContact: no such domain.');
    expect(issuer().status?.acme?.lastRegisteredEmail).toBe('ops@example.com');
  });

  it('tries again less and less often, and at once when something has changed', async () => {
    const { acme, clock, setUp } = await aBench();
    acme.on('/account', { status: 500, body: problem('serverInternal', 'not today') });
    expect(await setUp()).toMatchObject({
      ready: false,
      reason: 'ErrRegisterACMEAccount',
      againAfterMs: 5_000,
    });
    clock.advance(1_000);
    // The reconciler comes back at once, by the status that it has written itself.
    expect(await setUp()).toMatchObject({ ready: false, againAfterMs: 4_000 });
    expect(acme.count('/account')).toBe(1);
    clock.advance(4_000);
    expect(await setUp()).toMatchObject({ againAfterMs: 10_000 });
    expect(acme.count('/account')).toBe(2);
    acme.on('/account', {
      status: 201,
      headers: { location: `${acme.origin}/account/1` },
      body: { status: 'valid' },
    });
    expect(await setUp(withAcme({ preferredChain: 'X' }))).toMatchObject({ ready: true });
  });

  it('waits as long as the server asks', async () => {
    const { acme, setUp } = await aBench();
    acme.on('/account', {
      status: 429,
      headers: { 'retry-after': '600' },
      body: problem('rateLimited', 'slow down'),
    });
    expect(await setUp()).toMatchObject({ ready: false, againAfterMs: 600_000 });
  });

  it.each([
    [
      'a server that is no URL',
      { server: 'https://exa mple' },
      'InvalidURL',
      'is no URL; give the URL of the ACME directory.',
    ],
    ['no solver', { solvers: [] }, 'InvalidSolver', 'spec.acme.solvers is empty'],
    [
      'a key that must be there',
      { disableAccountKeyGeneration: true },
      'InvalidConfig',
      'create the Secret with the account key.',
    ],
    [
      'an external account without its key',
      { externalAccountBinding: { keyID: 'k', keySecretRef: { name: 'mac', key: 'k' } } },
      'InvalidConfig',
      'Secret "shop/mac" of spec.acme.externalAccountBinding.keySecretRef does not exist; create it.',
    ],
  ] as [string, Partial<AcmeIssuerConfig>, string, string][])(
    'refuses %s, and asks nobody',
    async (_what, config, reason, said) => {
      const { acme, setUp } = await aBench(config);
      const result = await setUp();
      expect(result).toMatchObject({ ready: false, reason });
      expect(result.message).toContain(said);
      expect(result.againAfterMs).toBeUndefined();
      expect(acme.count('/account')).toBe(0);
    },
  );

  it('binds the external account', async () => {
    const { api, acme, setUp } = await aBench({
      externalAccountBinding: { keyID: 'kid-1', keySecretRef: { name: 'mac', key: 'k' } },
    });
    await api.create(secrets, aSecret('mac', { k: Buffer.from('secret').toString('base64url') }));
    await setUp();
    const payload = acme.seen.find(({ path }) => path === '/account')?.payload;
    const { externalAccountBinding } = payload as { externalAccountBinding: { protected: string } };
    const header = JSON.parse(
      Buffer.from(externalAccountBinding.protected, 'base64url').toString(),
    ) as object;
    expect(header).toMatchObject({ alg: 'HS256', kid: 'kid-1' });
  });
});

describe('an account in doubt', () => {
  const signal = new AbortController().signal;

  it('is one that the server does not know any more: it is registered again', async () => {
    const { acme, accounts, setUp, issuer } = await aBench();
    await setUp();
    expect(await accounts.verify(issuer(), signal)).toBe(true);
    expect(acme.seen.at(-1)?.payload).toEqual({ onlyReturnExisting: true });

    acme.on('/account', { status: 400, body: problem('accountDoesNotExist', 'no such account') });
    const doubted: string[] = [];
    accounts.onDoubt(({ metadata }) => doubted.push(metadata.name ?? ''));
    expect(await accounts.verify(issuer(), signal)).toBe(false);
    expect(await accounts.verify(issuer(), signal)).toBe(false);
    expect(doubted).toEqual(['ours']);

    acme.on('/account', {
      status: 201,
      headers: { location: `${acme.origin}/account/2` },
      body: { status: 'valid' },
    });
    expect(await setUp()).toMatchObject({
      ready: true,
      status: { acme: { uri: `${acme.origin}/account/2` } },
    });
    expect(accounts.isInDoubt(issuer())).toBe(false);
  });

  it('is one that was deactivated: the issuer is not ready, and is not tried again in vain', async () => {
    const { acme, accounts, setUp, issuer } = await aBench();
    await setUp();
    acme.on('/account', {
      headers: { location: `${acme.origin}/account/1` },
      body: { status: 'deactivated' },
    });
    expect(await accounts.verify(issuer(), signal)).toBe(false);
    const result = await setUp();
    expect(result).toMatchObject({ ready: false, reason: 'ErrVerifyACMEAccount' });
    expect(result.message).toContain('says that the account is deactivated; name another Secret in');
    expect(result.againAfterMs).toBeUndefined();
  });

  it('is not one whose server cannot be reached', async () => {
    const { acme, accounts, setUp, issuer } = await aBench();
    await setUp();
    acme.on('/account', { fault: 'reset' });
    await expect(accounts.verify(issuer(), signal)).rejects.toMatchObject({ code: 'ACME_UNREACHABLE' });
    expect(accounts.isInDoubt(issuer())).toBe(false);
  });
});
