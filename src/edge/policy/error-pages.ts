import type { Route } from '../compile/table.ts';
import type { CheckedHead } from './request-head.ts';
import type { RoutePolicy } from './route-policy.ts';

/** Whether the answer of the upstream is replaced by a page of another backend. */
export function wantsErrorPage({ errorPages }: RoutePolicy, status: number): boolean {
  return errorPages !== undefined && errorPages.statuses.includes(status);
}

/**
 * The fields of the request for an error page, names and values in turn (ingress-nginx, Custom errors). It is a GET of `/`;
 * the page is given to the client with the status that it stands for, unless the backend answers with another than 200.
 */
export function errorPageFields(
  status: number,
  head: CheckedHead,
  { source }: Pick<Route, 'source'>,
  service: { readonly name: string; readonly port: string } | undefined,
): readonly string[] {
  const fields = ['X-Code', String(status), 'X-Format', head.fields.first('accept') ?? ''];
  fields.push('X-Original-URI', `${head.path}${head.query}`);
  fields.push('X-Namespace', source.namespace, 'X-Ingress-Name', source.name);
  if (service !== undefined) fields.push('X-Service-Name', service.name, 'X-Service-Port', service.port);
  const requestId = head.fields.first('x-request-id');
  if (requestId !== undefined) fields.push('X-Request-ID', requestId);
  return fields;
}
