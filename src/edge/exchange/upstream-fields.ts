import { fieldKind } from '../http1/field-kind.ts';
import { WireFields } from '../http1/wire-fields.ts';
import type { AddressRanges } from '../policy/address-ranges.ts';
import { appendForwarded, forwardedOf, forwardedOfPeer } from '../policy/forwarded.ts';
import type { CheckedHead, ConnectionFacts } from '../policy/request-head.ts';
import type { HeaderEdits } from '../policy/route-policy.ts';
import { editFields, keepFields } from './edit-fields.ts';
import { kindOf } from './field-kinds.ts';
import { type HeaderFields, headerFieldsOf } from './header-fields.ts';
import { JoinedFields } from './joined-fields.ts';
import { OneField } from './one-field.ts';

/**
 * The fields of the request to the upstream, without Host and framing: what the client sent without hop-by-hop fields
 * (RFC 9110 section 7.6.1) and without what only the edge may say, then what the edge says, which no Connection field can take
 * away. `standard`: with Forwarded (RFC 7239). Requests that repeat their fields get what was made for the one before.
 */
export function upstreamFields(
  head: CheckedHead,
  edits: HeaderEdits | undefined,
  trusted: AddressRanges,
  standard: boolean,
): HeaderFields {
  const { fields } = head;
  if (!(fields instanceof WireFields)) return made(head, edits, trusted, standard);
  // All else that counts is the same for all requests of a connection, and Host is one of the fields, but for an absolute
  // target without one.
  const { derived } = fields;
  if (derived?.from === edits && derived?.and === head.hostHeader) return derived.fields;
  const result = made(head, edits, trusted, standard);
  fields.derived = { from: edits, and: head.hostHeader, fields: result };
  return result;
}

function made(
  head: CheckedHead,
  edits: HeaderEdits | undefined,
  trusted: AddressRanges,
  standard: boolean,
): HeaderFields {
  const { fields, connectionTokens, connection } = head;
  const kept = keepFields(
    fields,
    index =>
      isPassed(kindOf(fields, index), connection.trusted) &&
      (connectionTokens.length === 0 || !connectionTokens.includes(fields.name(index))),
  );
  return editFields(new JoinedFields(kept, saidOf(head, trusted, standard)), edits);
}

function isPassed(kind: number, trusted: boolean): boolean {
  return kind === fieldKind.other || (trusted && kind === fieldKind.original);
}

/** What is said of a connection's client whatever the Host, and what was last said with it. */
interface Said {
  readonly ofPeer: HeaderFields;
  host: string;
  fields: HeaderFields;
}

const said = new WeakMap<ConnectionFacts, Said>();

/** What the edge says of the client. For an untrusted peer that is the same for all requests of a connection to one host. */
function saidOf(head: CheckedHead, trusted: AddressRanges, standard: boolean): HeaderFields {
  const { connection, hostHeader } = head;
  if (connection.trusted) {
    const list: string[] = [];
    appendForwarded(list, head, trusted, standard);
    return headerFieldsOf(list);
  }
  const known = said.get(connection);
  if (known?.host === hostHeader) return known.fields;
  const ofPeer = known?.ofPeer ?? headerFieldsOf(forwardedOfPeer(connection));
  const fields = new JoinedFields(ofPeer, ofHost(head, standard));
  if (known === undefined) {
    said.set(connection, { ofPeer, host: hostHeader, fields });
  } else {
    known.host = hostHeader;
    known.fields = fields;
  }
  return fields;
}

function ofHost({ connection, hostHeader }: CheckedHead, standard: boolean): HeaderFields {
  const host = new OneField('X-Forwarded-Host', hostHeader);
  return standard
    ? new JoinedFields(host, new OneField('Forwarded', forwardedOf(connection, hostHeader)))
    : host;
}
