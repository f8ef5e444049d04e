import { nearest } from './nearest.ts';
import type { Given } from './read-flags.ts';
import type { Setting } from './setting.ts';

/**
 * What Kubernetes puts into the environment for a Service whose name begins with "postern".
 * Source: Kubernetes, Accessing the Service, environment variables (the form of Docker links).
 */
const serviceLink = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/**
 * Reads the settings from environment variables `POSTERN_*`. An empty one counts as not set. One that no
 * command has is a problem, so that a misspelt one is found; `known` are the variables of all commands.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting[],
  known: ReadonlySet<string>,
): { readonly given: Given; readonly problems: readonly string[] } {
  const given = new Map<string, { texts: string[]; from: string }>();
  for (const { name, variable, facts } of settings) {
    if (facts.flagOnly === true) continue;
    const value = environment[variable];
    // A Service named postern-acme-http01 would set this too, to tcp://...: that is no value of ours.
    const isLink = value !== undefined && /^(tcp|udp|sctp):\/\//.test(value);
    if (value !== undefined && value !== '' && !isLink) given.set(name, { texts: [value], from: variable });
  }
  const problems = Object.keys(environment)
    .filter(name => name.startsWith('POSTERN_') && !known.has(name) && !serviceLink.test(name))
    .sort()
    .map(name => {
      const guess = nearest(name, known);
      return `There is no setting for the environment variable ${name}.${guess === undefined ? '' : ` Did you mean ${guess}?`}`;
    });
  return { given, problems };
}
