import { createHash, randomBytes } from 'node:crypto';
import { OctetString, Sequence, Null, ObjectIdentifier } from 'asn1js';
