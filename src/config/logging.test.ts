import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { PosternError } from '../core/errors.ts';
import { createLogging, type LoggingOptions } from './logging.ts';

function aLog(options: Partial<LoggingOptions> = {}) {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const logging = createLogging({ format: 'json', level: 'info', clock: manualClock(), stream, ...options });
  const lines = async (): Promise<string[]> => {
    await logging.close();
    return text.split('\n').filter(line => line !== '');
  };
  return { logger: logging.logger, lines };
}

describe('log in JSON', () => {
  it('is one object a line: time, level, message, fields of the logger, fields of the line', async () => {
    const { logger, lines } = aLog();
    logger
      .child({ controller: 'sites' })
      .child({ lease: 'a/b' })
      .info('two\nlines', { object: 'default/site' });
    expect(await lines()).toEqual([
      '{"ts":"2026-01-01T00:00:00.000Z","level":"info","msg":"two\\nlines","controller":"sites","lease":"a/b","object":"default/site"}',
    ]);
  });

  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
  ] as const)('at level %s has %j', async (level, expected) => {
    const { logger, lines } = aLog({ level });
    logger.debug('m');
    logger.info('m');
    logger.warn('m');
    logger.error('m');
    expect((await lines()).map(line => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
  });

  it('a field cannot take the place of time, level or message', async () => {
    const { logger, lines } = aLog();
    logger.info('m', { level: 'x', msg: 'y', ts: 'z' });
    expect(JSON.parse((await lines())[0] ?? '')).toMatchObject({
      level: 'info',
      msg: 'm',
      level_: 'x',
      msg_: 'y',
      ts_: 'z',
    });
  });

  it('holds no secret, wherever it was put', async () => {
    const { logger, lines } = aLog({ level: 'debug' });
    const pem = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----';
    logger.info(`message ${pem}`, { text: pem, nested: [{ deep: pem }], key: pem, error: new Error(pem) });
    logger.child({ bound: pem }).debug('m');
    expect((await lines()).join('\n')).not.toContain('c2VjcmV0');
  });

  it('shows errors with code and cause; their stack at level debug alone', async () => {
    const error = new PosternError('It failed.', { code: 'X', cause: new Error('why') });
    const quiet = aLog();
    quiet.logger.error('m', { error });
    expect(JSON.parse((await quiet.lines())[0] ?? '')).toMatchObject({
      error: { code: 'X', message: 'It failed.', cause: { message: 'why' } },
    });
    const loud = aLog({ level: 'debug' });
    loud.logger.error('m', { error });
    const [line = ''] = await loud.lines();
    expect((JSON.parse(line) as { error: { stack: string } }).error.stack).toContain('logging.test.ts');
    expect(await quiet.lines()).not.toContain('logging.test.ts');
  });

  it('says nothing after it was closed', async () => {
    const { logger, lines } = aLog();
    logger.info('before');
    expect(await lines()).toHaveLength(1);
    logger.info('after');
  });
});

describe('log for people', () => {
  it('is a short line, without colours where there is no terminal', async () => {
    const { logger, lines } = aLog({ format: 'human' });
    const error = new PosternError('It "failed".', { code: 'X', cause: new Error('why') });
    logger.warn('certificate is late', {
      object: 'default/site',
      hosts: ['a.test'],
      tries: 3,
      none: undefined,
      error,
    });
    expect(await lines()).toEqual([
      '00:00:00.000 WARN  certificate is late object=default/site hosts=["a.test"] tries=3 error="It \\"failed\\". [X]: why"',
    ]);
  });

  it('has colours on a terminal', async () => {
    const { logger, lines } = aLog({ format: 'human', isColoured: true });
    logger.error('m');
    expect((await lines())[0]).toBe('\u001B[90m00:00:00.000\u001B[0m \u001B[31mERROR\u001B[0m m');
  });

  it('shows control characters instead of obeying them', async () => {
    const { logger, lines } = aLog({ format: 'human' });
    logger.info('a\u001B[2Jb\nc', { host: 'x\u0007\ny' });
    expect(await lines()).toEqual(['00:00:00.000 INFO  a\\u001b[2Jb\\nc host="x\\u0007\\ny"']);
  });

  it('shows the stack of an error below its line at level debug', async () => {
    const { logger, lines } = aLog({ format: 'human', level: 'debug' });
    logger.error('m', { error: new Error('why') });
    const [first, second] = await lines();
    expect(first).toBe('00:00:00.000 ERROR m error=why');
    expect(second).toContain('logging.test.ts');
  });
});
