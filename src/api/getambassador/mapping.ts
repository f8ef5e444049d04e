import { z } from 'zod';
import { preserved, preservedList, stringMap, strings, typeMeta } from '../fields.ts';
import type { Resource } from '../resource.ts';
import { withRules } from '../rules.ts';

/** A regular expression and what is put in the place of its match; `\1` to `\9` are its groups. */
const regexMap = () =>
  z.object({
    pattern: z.string().describe('Regular expression.').optional(),
    substitution: z.string().describe('What stands in its place; \\1 to \\9 are its groups.').optional(),
  });

/** Header fields to set, by name. */
const addedHeaders = () =>
  z.record(
    z.string(),
    z.object({
      value: z.string().describe('The value.').optional(),
      append: z
        .boolean()
        .describe('Beside the value that is there (the default), not in its place.')
        .optional(),
      v2Representation: z.string().describe('How v2 wrote it: of no effect.').optional(),
    }),
  );

const milliseconds = () => z.int().min(0);

const cors = z.object({
  origins: strings().describe('Origins that may call, or "*".').optional(),
  methods: strings().describe('Methods that may be used.').optional(),
  headers: strings().describe('Request headers that may be sent.').optional(),
  credentials: z.boolean().describe('Whether credentials may be sent.').optional(),
  exposed_headers: strings().describe('Response headers that scripts may read.').optional(),
  max_age: z.string().describe('Seconds for which an answer to a preflight is kept.').optional(),
  v2CommaSeparatedOrigins: z.boolean().describe('How v2 wrote it: of no effect.').optional(),
});

const retryPolicy = z.object({
  retry_on: z
    .enum([
      '5xx',
      'gateway-error',
      'connect-failure',
      'retriable-4xx',
      'refused-stream',
      'retriable-status-codes',
    ])
    .describe('What is tried again.')
    .optional(),
  num_retries: z.int().min(0).describe('Tries after the first one.').optional(),
  per_try_timeout: z.string().describe('For each try: 500ms, 2s.').optional(),
});

const loadBalancer = z.object({
  policy: z
    .enum(['round_robin', 'ring_hash', 'maglev', 'least_request'])
    .describe('How endpoints are chosen.'),
  cookie: z
    .object({
      name: z.string().describe('Its name.'),
      path: z.string().describe('Its path; / by default.').optional(),
      ttl: z
        .string()
        .describe('How long it is kept: 60s. Without it, as long as the browser is open.')
        .optional(),
    })
    .describe('A cookie that ties a client to an endpoint.')
    .optional(),
  header: z.string().describe('A request header whose value chooses the endpoint.').optional(),
  source_ip: z.boolean().describe("The client's address chooses the endpoint.").optional(),
});

const specFields = z.object({
  ambassador_id: strings().describe('Whose Mapping it is; ["default"] by default.').optional(),
  hostname: z.string().describe('The hosts: a name, "*", "*.example.com" or "example.*".').optional(),
  host: z.string().describe('The old field for hostname: a name, or with host_regex a pattern.').optional(),
  host_regex: z.boolean().describe('Whether host is a regular expression.').optional(),
  prefix: z
    .string()
    .min(1)
    .describe('What a path begins with: text, so /foo is the beginning of /foobar too.'),
  prefix_exact: z.boolean().describe('The whole path must equal prefix.').optional(),
  prefix_regex: z.boolean().describe('prefix is a regular expression for the whole path.').optional(),
  case_sensitive: z
    .boolean()
    .describe('Whether upper and lower case differ in prefix; true by default.')
    .optional(),
  method: z.string().describe('The method that requests must have.').optional(),
  method_regex: z.boolean().describe('method is a regular expression.').optional(),
  headers: stringMap().describe('Headers that requests must have, with their values.').optional(),
  regex_headers: stringMap()
    .describe('Headers that requests must have, with patterns of their values.')
    .optional(),
  query_parameters: stringMap()
    .describe('Query parameters that requests must have, with their values.')
    .optional(),
  regex_query_parameters: stringMap()
    .describe('Query parameters that requests must have, with patterns of their values.')
    .optional(),
  v2BoolHeaders: strings().describe('Headers that requests must have, with whatever value.').optional(),
  v2BoolQueryParameters: strings()
    .describe('Query parameters that requests must have, with whatever value.')
    .optional(),
  precedence: z.int().describe('Higher ones are matched first; 0 by default.').optional(),
  service: z.string().min(1).describe('Where requests go: [scheme://]name[.namespace][:port].'),
  tls: z
    .string()
    .describe('The TLSContext for connections to the service, or "true" for TLS without one.')
    .optional(),
  rewrite: z
    .string()
    .describe('What stands in place of prefix; / by default, and "" leaves the path alone.')
    .optional(),
  regex_rewrite: regexMap()
    .describe('Replaces what matches in the path; rewrite has no effect then.')
    .optional(),
  host_rewrite: z.string().describe('The Host that the service gets.').optional(),
  auto_host_rewrite: z.boolean().describe('The service gets its own name as Host.').optional(),
  weight: z
    .int()
    .min(0)
    .max(100)
    .describe('Percent of the requests that this one of equal Mappings gets.')
    .optional(),
  timeout_ms: milliseconds().describe('For a whole request; 3000 by default, 0 for no limit.').optional(),
  connect_timeout_ms: milliseconds().describe('To connect; 3000 by default.').optional(),
  idle_timeout_ms: milliseconds().describe('Silence on a request under way.').optional(),
  cluster_idle_timeout_ms: milliseconds().describe('Accepted, of no effect.').optional(),
  cluster_max_connection_lifetime_ms: milliseconds().describe('Accepted, of no effect.').optional(),
  add_request_headers: addedHeaders()
    .describe('Headers that the service gets beside those of the client.')
    .optional(),
  remove_request_headers: strings()
    .describe('Headers of the client that the service does not get.')
    .optional(),
  add_response_headers: addedHeaders()
    .describe('Headers that the client gets beside those of the service.')
    .optional(),
  remove_response_headers: strings()
    .describe('Headers of the service that the client does not get.')
    .optional(),
  host_redirect: z.boolean().describe('Requests are redirected to the host that service names.').optional(),
  path_redirect: z.string().describe('The path of the redirect.').optional(),
  prefix_redirect: z.string().describe('What stands in place of prefix in the redirect.').optional(),
  regex_redirect: regexMap().describe('Replaces what matches in the path of the redirect.').optional(),
  redirect_response_code: z.int().describe('301 (the default), 302, 303, 307 or 308.').optional(),
  cors: cors.describe('Cross-origin requests.').optional(),
  retry_policy: retryPolicy.describe('What is tried again.').optional(),
  load_balancer: loadBalancer.describe('How endpoints are chosen.').optional(),
  allow_upgrade: strings().describe('Protocols that a connection may change to: websocket.').optional(),
  use_websocket: z.boolean().describe('The old field for allow_upgrade: [websocket].').optional(),
  grpc: z.boolean().describe('HTTP/2 is spoken with the service.').optional(),
  bypass_auth: z
    .boolean()
    .describe('Without it a Mapping is refused where there is an AuthService, which nobody asks.')
    .optional(),
  shadow: z.boolean().describe('Refused: copies of requests are not made.').optional(),
  envoy_override: preserved().describe('Refused: there is no Envoy.').optional(),
  error_response_overrides: preservedList().describe('Passed over, visibly.').optional(),
  bypass_error_response_overrides: z.boolean().describe('Accepted, of no effect.').optional(),
  auth_context_extensions: stringMap().describe('Accepted, of no effect.').optional(),
  circuit_breakers: preservedList().describe('Passed over, visibly.').optional(),
  outlier_detection: z.string().describe('Accepted, of no effect.').optional(),
  labels: preserved()
    .describe('Passed over, visibly: there is no RateLimitService to send them to.')
    .optional(),
  modules: preservedList().describe('Passed over, visibly.').optional(),
  keepalive: preserved().describe('Accepted, of no effect.').optional(),
  docs: preserved().describe('Accepted, of no effect.').optional(),
  resolver: z.string().describe('Accepted: endpoints are looked up in any case.').optional(),
  cluster_tag: z.string().describe('Accepted, of no effect.').optional(),
  stats_name: z.string().describe('Accepted, of no effect.').optional(),
  priority: z.string().describe('Accepted, of no effect.').optional(),
  dns_type: z.string().describe('Accepted, of no effect.').optional(),
  respect_dns_ttl: z.boolean().describe('Accepted, of no effect.').optional(),
  add_linkerd_headers: z.boolean().describe('Accepted, of no effect.').optional(),
  enable_ipv4: z.boolean().describe('Accepted, of no effect.').optional(),
  enable_ipv6: z.boolean().describe('Accepted, of no effect.').optional(),
  v2ExplicitTLS: preserved().describe('How v2 wrote service and tls: of no effect.').optional(),
});

export type MappingSpec = z.infer<typeof specFields>;

/** The fields that say which requests a Mapping is for: enough to refuse those where the rest is not understood. */
export const mappingMatchSchema = specFields
  .pick({
    hostname: true,
    host: true,
    host_regex: true,
    prefix: true,
    prefix_exact: true,
    prefix_regex: true,
    case_sensitive: true,
    method: true,
    method_regex: true,
    headers: true,
    regex_headers: true,
    query_parameters: true,
    regex_query_parameters: true,
    v2BoolHeaders: true,
    v2BoolQueryParameters: true,
    precedence: true,
  })
  .extend({ service: z.string().catch('') });

export const mappingSpecSchema = withRules(specFields, {
  field: 'prefix_exact',
  message: 'cannot be true together with prefix_regex: keep one of the two',
  holds: spec => spec.prefix_exact !== true || spec.prefix_regex !== true,
  cel: '!has(self.prefix_exact) || !self.prefix_exact || !has(self.prefix_regex) || !self.prefix_regex',
});

export const mappingSchema = z.object({
  ...typeMeta,
  spec: mappingSpecSchema.describe('Which requests go where.'),
  status: z
    .object({
      state: z.string().describe('What Emissary made of it; not written by Postern.').optional(),
      reason: z.string().describe('Why; not written by Postern.').optional(),
    })
    .describe('What became of it.')
    .optional(),
});

/** `getambassador.io/v3alpha1` Mapping. */
export type Mapping = z.infer<typeof mappingSchema>;

export const mappings: Resource<Mapping> = {
  group: 'getambassador.io',
  version: 'v3alpha1',
  kind: 'Mapping',
  plural: 'mappings',
  namespaced: true,
  hasStatus: true,
};
