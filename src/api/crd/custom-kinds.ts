import type { z } from 'zod';
import { challengeSchema, challenges } from '../acme/challenge.ts';
import { orderSchema, orders } from '../acme/order.ts';
import { certificateSchema, certificates } from '../cert-manager/certificate.ts';
import { certificateRequestSchema, certificateRequests } from '../cert-manager/certificate-request.ts';
import { clusterIssuers, issuerSchema, issuers } from '../cert-manager/issuer.ts';
import type { PrinterColumn } from '../kubernetes/custom-resource-definition.ts';
import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';

/** A kind that a CRD defines: how it is addressed, what its objects look like, how kubectl shows them. */
export interface CustomKind {
  readonly resource: Resource<KubeObject>;
  readonly schema: z.ZodObject;
  readonly description: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly columns: readonly PrinterColumn[];
}

const conditionPath = (type: string, field: string): string =>
  `.status.conditions[?(@.type == "${type}")].${field}`;

const text = (name: string, jsonPath: string): PrinterColumn => ({ name, type: 'string', jsonPath });
/** A column that shows with `-o wide` alone. */
const wide = (name: string, jsonPath: string): PrinterColumn => ({ ...text(name, jsonPath), priority: 1 });
const condition = (type: string): PrinterColumn => text(type, conditionPath(type, 'status'));
const status = wide('Status', conditionPath('Ready', 'message'));
const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

const issuerColumns = [condition('Ready'), status, age];

/** Every kind that Postern's CRDs define. Columns, short names and categories are cert-manager's. */
export const customKinds: readonly CustomKind[] = [
  {
    resource: certificates,
    schema: certificateSchema,
    description: 'A certificate that is kept in a Secret and renewed in time.',
    shortNames: ['cert', 'certs'],
    categories: ['cert-manager'],
    columns: [
      condition('Ready'),
      text('Secret', '.spec.secretName'),
      wide('Issuer', '.spec.issuerRef.name'),
      status,
      age,
    ],
  },
  {
    resource: certificateRequests,
    schema: certificateRequestSchema,
    description: 'A certificate signing request for one issuer: signed once, or failed.',
    shortNames: ['cr', 'crs'],
    categories: ['cert-manager'],
    columns: [
      condition('Approved'),
      condition('Denied'),
      condition('Ready'),
      text('Issuer', '.spec.issuerRef.name'),
      text('Requester', '.spec.username'),
      status,
      age,
    ],
  },
  {
    resource: issuers,
    schema: issuerSchema,
    description: 'Someone who signs certificates, for the namespace it is in.',
    shortNames: ['iss'],
    categories: ['cert-manager'],
    columns: issuerColumns,
  },
  {
    resource: clusterIssuers,
    schema: issuerSchema,
    description: 'Someone who signs certificates, for every namespace.',
    shortNames: ['ciss'],
    categories: ['cert-manager'],
    columns: issuerColumns,
  },
  {
    resource: orders,
    schema: orderSchema,
    description: 'An order at an ACME server (RFC 8555, 7.1.3).',
    shortNames: [],
    categories: ['cert-manager', 'cert-manager-acme'],
    columns: [
      text('State', '.status.state'),
      wide('Issuer', '.spec.issuerRef.name'),
      wide('Reason', '.status.reason'),
      age,
    ],
  },
  {
    resource: challenges,
    schema: challengeSchema,
    description: 'A challenge of an authorization at an ACME server (RFC 8555, 7.1.5).',
    shortNames: [],
    categories: ['cert-manager', 'cert-manager-acme'],
    columns: [
      text('State', '.status.state'),
      text('Domain', '.spec.dnsName'),
      wide('Reason', '.status.reason'),
      age,
    ],
  },
];
