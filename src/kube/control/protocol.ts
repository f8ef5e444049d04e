import { z } from 'zod';
import type { KubeObject } from '../../api/meta.ts';
import type { KubeErrorCode } from '../errors.ts';

/*
 * What goes over the control socket: one call, `POST /update-status`, as JSON over HTTP/1.1. Whoever can open
 * the socket can read the state folder too, so there is nothing to authenticate beyond the modes of the files.
 */

export const updateStatusPath = '/update-status';

/** More than any object has: etcd takes 1.5 MB. */
export const mostBytes = 4 * 2 ** 20;

/** The request: `updateStatus` of the `KubeApi` port. The answer to it is the object as it was stored. */
export const updateStatusRequest = z.object({
  /** As `resourceId` gives it. */
  resource: z.string(),
  object: z.custom<KubeObject>(value => z.object({ metadata: z.object({}) }).safeParse(value).success),
});

const kubeErrorCodes = [
  'KUBE_NOT_FOUND',
  'KUBE_ALREADY_EXISTS',
  'KUBE_CONFLICT',
  'KUBE_GONE',
  'KUBE_INVALID',
  'KUBE_FORBIDDEN',
  'KUBE_UNAUTHORIZED',
  'KUBE_TOO_MANY_REQUESTS',
  'KUBE_UNAVAILABLE',
] as const satisfies readonly KubeErrorCode[];

/** The answer with a status other than 200. */
export const failureAnswer = z.object({ code: z.enum(kubeErrorCodes), message: z.string() });

/** The answer with status 200. */
export const objectAnswer = z.custom<KubeObject>(
  value => z.object({ metadata: z.object({}) }).safeParse(value).success,
);
