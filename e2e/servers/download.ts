import { createHash } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';

/** How long an official site may take to answer at all: a closed network must cost little. */
const answerMs = 5_000;
const transferMs = 10 * 60_000;

/**
 * Fetches one small text file, such as a published checksum.
 * @throws Error naming the address, when it cannot be reached or does not answer 200.
 */
export async function downloadText(url: string): Promise<string> {
  const response = await answered(url);
  return response.text();
}

/**
 * Downloads an executable or an archive and checks it before it is written.
 * @param sha256 hex, as published beside the file.
 */
export async function downloadChecked(url: string, sha256: string, file: string): Promise<void> {
  const body = Buffer.from(await (await answered(url)).arrayBuffer());
  const actual = createHash('sha256').update(body).digest('hex');
  if (actual !== sha256.toLowerCase()) throw new Error(`${url}: SHA-256 ${actual}, published is ${sha256}`);
  await writeFile(file, body);
  await chmod(file, 0o755);
}

/** The checksum of `file` in a listing of `<hex>  <name>` lines, or in a file with nothing but the hex. */
export function checksumFor(file: string, listing: string): string {
  for (const line of listing.split('\n')) {
    const [hex, name] = line.trim().split(/\s+\*?/);
    if (hex !== undefined && /^[0-9a-f]{64}$/i.test(hex) && (name === undefined || name === file)) return hex;
  }
  throw new Error(`no SHA-256 of ${file} is published`);
}

async function answered(url: string): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no answer in ${answerMs} ms`)), answerMs);
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([late.signal, AbortSignal.timeout(transferMs)]),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response;
  } catch (cause) {
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    throw new Error(`${url}: ${inner instanceof Error ? inner.message : String(inner)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
