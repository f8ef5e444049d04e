import { describe, expect, it } from 'vitest';
import { PosternError, TerminalError } from '../core/errors.ts';
import { commandLine } from './program.testing.ts';

describe('command line', () => {
  it.each([[['--help']], [['-h']], [['help']]])('%j prints what there is', async argv => {
    const run = await commandLine(argv);
    expect(run.status).toBe(0);
    expect(run.stdout).toMatchInlineSnapshot(`
      "Postern gives Kubernetes Ingresses their TLS: it turns annotated Ingresses into certificates,
      gets them signed, and serves the Ingresses over HTTPS. With a cluster, or without one.

      Commands:
        postern run       obtain certificates for Ingresses, and serve them over HTTPS
        postern status    what is ready, and why the rest is not
        postern lint      what is refused or served differently of manifests, without a cluster
        postern inspect   look into a Secret with a certificate
        postern renew     obtain certificates anew, now
        postern approve   let a CertificateRequest be signed
        postern deny      keep a CertificateRequest from being signed
        postern version   print the version

      To begin:
        postern run --standalone ./manifests    serve the manifests of a folder, no cluster needed
        postern status                          what is ready, and why the rest is not
        postern lint ./manifests                what would be served differently, and what is refused
        postern help run                        all flags of a command
      "
    `);
  });

  it('without a command prints the same on standard error, and fails', async () => {
    const run = await commandLine([]);
    expect([run.status, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toContain('postern run');
  });

  it.each([
    [
      ['stauts'],
      'postern: There is no command "stauts". Did you mean "postern status"?\nSee "postern help".\n',
    ],
    [
      ['help', 'rnu'],
      'postern: There is no command "rnu". Did you mean "postern run"?\nSee "postern help".\n',
    ],
    [['frobnicate'], 'postern: There is no command "frobnicate".\nSee "postern help".\n'],
    [
      ['run', '--standlone', 'm'],
      'postern: There is no flag --standlone. Did you mean --standalone?\nSee "postern help run".\n',
    ],
    [
      ['status', 'x'],
      'postern: postern status takes no argument "x": it shows everything, or "certificate NAME".\nSee "postern help status".\n',
    ],
    [['run', 'x'], 'postern: postern run takes no argument "x".\nSee "postern help run".\n'],
    [['version', 'x'], 'postern: postern version takes no argument "x".\nSee "postern help version".\n'],
  ])('%j is refused', async (argv, stderr) => {
    const run = await commandLine(argv);
    expect([run.status, run.stdout, run.stderr]).toEqual([2, '', stderr]);
    expect(run.started).toEqual([]);
  });

  it.each([[['version']], [['--version']], [['-v']]])('%j prints the version', async argv => {
    const run = await commandLine(argv);
    expect([run.status, run.stdout]).toEqual([0, `postern 1.2.3 (node ${process.versions.node})\n`]);
  });

  it.each([['run'], ['status'], ['lint'], ['inspect'], ['renew'], ['approve'], ['deny'], ['version']])(
    '%s has the same help by both ways',
    async name => {
      const [asked, helped] = await Promise.all([commandLine([name, '--help']), commandLine(['help', name])]);
      expect(asked.status).toBe(0);
      expect(asked.stdout).toBe(helped.stdout);
      expect(asked.stdout).toContain(`postern ${name}: `);
    },
  );

  it('an error for the user is one line, and status 1', async () => {
    const start = async (): Promise<number> => {
      throw new TerminalError('Port 443 is taken.', { code: 'X' });
    };
    const run = await commandLine(['run'], { start });
    expect([run.status, run.stderr]).toEqual([1, 'postern: Port 443 is taken.\n']);
  });

  it('a defect is thrown', async () => {
    const start = (): Promise<number> => Promise.reject(new TypeError('oops'));
    await expect(commandLine(['run'], { start })).rejects.toThrow('oops');
    expect(new PosternError('', { code: 'X' })).toBeInstanceOf(Error);
  });
});
