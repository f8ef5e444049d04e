import { edits } from './header-edits.ts';
import type { CheckedHead } from './request-head.ts';
import type { Cors, HeaderEdits } from './route-policy.ts';

/** Whether a request asks what a browser may ask (Fetch, CORS-preflight request). */
export function isPreflight({ method, fields }: CheckedHead): boolean {
  return (
    method === 'OPTIONS' &&
    fields.first('origin') !== undefined &&
    fields.first('access-control-request-method') !== undefined
  );
}

/** The origin as the answer names it, or undefined where it may not read the answer, or there is none. */
export function allowedOrigin(cors: Cors, { fields }: CheckedHead): string | undefined {
  const origin = fields.first('origin');
  if (origin === undefined || origin === '') return undefined;
  if (cors.origins.includes('*')) return '*';
  const lower = origin.toLowerCase();
  return cors.origins.some(allowed => sameOrigin(allowed, lower)) ? origin : undefined;
}

/** A star stands for one label: `https://*.foo.com:8443` (ingress-nginx, cors-allow-origin). */
function sameOrigin(allowed: string, origin: string): boolean {
  const star = allowed.indexOf('*');
  if (star < 0) return allowed === origin;
  const [before, after] = [allowed.slice(0, star), allowed.slice(star + 1)];
  if (!origin.startsWith(before) || !origin.endsWith(after)) return false;
  return /^[a-z0-9_-]+$/.test(origin.slice(before.length, origin.length - after.length));
}

/** The fields of the 204 that answers a preflight. */
export function preflightFields(cors: Cors, origin: string): readonly string[] {
  const fields = ['Access-Control-Allow-Origin', origin];
  if (cors.credentials) fields.push('Access-Control-Allow-Credentials', 'true');
  fields.push('Access-Control-Allow-Methods', cors.methods, 'Access-Control-Allow-Headers', cors.headers);
  fields.push('Access-Control-Max-Age', String(cors.maxAgeSeconds));
  if (origin !== '*') fields.push('Vary', 'Origin');
  return fields;
}

/** What the answer of the upstream gets. The origin decides, so that a cache must tell answers apart by it. */
export function corsEdits(cors: Cors, origin: string | undefined): HeaderEdits {
  const add: HeaderEdits['add'] = cors.origins.includes('*') ? [] : [['Vary', 'Origin']];
  if (origin === undefined) return edits({ add });
  const set: [string, string][] = [['Access-Control-Allow-Origin', origin]];
  if (cors.credentials) set.push(['Access-Control-Allow-Credentials', 'true']);
  if (cors.exposeHeaders !== undefined) set.push(['Access-Control-Expose-Headers', cors.exposeHeaders]);
  return edits({ set, add });
}
