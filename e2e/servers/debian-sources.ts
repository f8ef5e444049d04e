/** One stanza of an apt source list, in deb822 form: field name to value, as written. */
export type SourceStanza = ReadonlyMap<string, string>;

/** Options of the one-line format and the deb822 fields they stand for (sources.list(5)). */
const optionFields: Readonly<Record<string, string>> = {
  arch: 'Architectures',
  'signed-by': 'Signed-By',
  trusted: 'Trusted',
  'check-valid-until': 'Check-Valid-Until',
  'check-date': 'Check-Date',
};

/** Parses a `.sources` file (deb822): stanzas apart by blank lines, continuation lines start with a space. */
export function parseDeb822(text: string): SourceStanza[] {
  const stanzas: Map<string, string>[] = [];
  for (const block of text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/)) {
    const stanza = new Map<string, string>();
    let field: string | undefined;
    for (const line of block.split('\n')) {
      const start = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line);
      if (start) {
        field = start[1] as string; // the group always matches
        stanza.set(field, start[2] ?? '');
      } else if (field !== undefined && /^\s/.test(line)) {
        stanza.set(field, `${stanza.get(field)}\n${line}`);
      }
    }
    if (stanza.size > 0) stanzas.push(stanza);
  }
  return stanzas;
}

/** Parses a `sources.list` file: `deb [option=value ...] uri suite component...` a line. */
export function parseOneLine(text: string): SourceStanza[] {
  return text.split('\n').flatMap(line => {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (!match) return [];
    const [, type = '', options = '', uri = '', suite = '', components = ''] = match;
    const stanza = new Map([
      ['Types', type],
      ['URIs', uri],
      ['Suites', suite],
    ]);
    if (components.trim()) stanza.set('Components', components.trim());
    for (const option of options.split(/\s+/)) {
      const [key = '', value = ''] = option.split('=');
      const field = optionFields[key.toLowerCase()];
      if (field !== undefined) stanza.set(field, value.replaceAll(',', ' '));
    }
    return [stanza];
  });
}

/**
 * The machine's Debian entries (whatever mirror they name), each for binary and source packages, as one
 * `.sources` file. Third parties' entries are left out: their servers need not be reachable.
 */
export function debianSourcesFor(stanzas: readonly SourceStanza[]): string {
  return stanzas
    .filter(stanza => stanza.get('Enabled')?.trim().toLowerCase() !== 'no' && isDebian(stanza))
    .map(stanza =>
      [...new Map([...stanza, ['Types', 'deb deb-src']])].map(([k, v]) => `${k}: ${v}\n`).join(''),
    )
    .join('\n');
}

function isDebian(stanza: SourceStanza): boolean {
  const uris = (stanza.get('URIs') ?? '').split(/\s+/);
  return (
    uris.some(uri => /\/debian(-security)?\/?$/.test(uri)) ||
    (stanza.get('Signed-By') ?? '').includes('debian-archive')
  );
}
