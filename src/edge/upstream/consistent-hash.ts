/** A hash of 32 bits (FNV-1a over the UTF-16 units, then MurmurHash3's finaliser). The same everywhere; not for secrets. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return finalised(hash);
}

/**
 * How much a text and an endpoint are drawn to each other: the endpoint with the highest draw gets the requests (rendezvous
 * hashing, Thaler and Ravishankar 1998). When an endpoint goes, only its own texts move; when one comes, it takes an equal
 * share from each.
 */
export function drawOf(textHash: number, endpointHash: number): number {
  return finalised(textHash ^ Math.imul(endpointHash, 0x9e3779b1));
}

function finalised(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
