import { stat } from 'node:fs/promises';
import { provisionHelm } from './helm.ts';
import { ifAvailable } from './install.ts';
import { provisionKubernetes } from './kubernetes.ts';
import { provisionDebianPebble, provisionPebble } from './pebble.ts';
import { providePeers } from './peers.ts';

/** `node e2e/servers/main.ts [part ...]`: prepares parts of the test bed and prints where they lie. */
const parts: Readonly<Record<string, () => Promise<object>>> = {
  '1.20': () => provisionKubernetes('1.20'),
  current: () => provisionKubernetes('current'),
  pebble: provisionPebble,
  'pebble-debian': provisionDebianPebble,
  helm: provisionHelm,
  peers: providePeers,
};
const all = ['pebble', 'current', '1.20', 'helm', 'peers'];

const asked = process.argv.slice(2);
const names = asked.length === 0 || asked.includes('all') ? all : asked;
for (const name of names) {
  const provision = parts[name];
  if (provision === undefined) {
    process.stderr.write(`no part is called ${name}; there are: ${Object.keys(parts).join(', ')}, all\n`);
    process.exit(2);
  }
  const from = performance.now();
  const part = await ifAvailable(provision());
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  if (part === undefined) {
    process.exitCode = 1;
    continue;
  }
  process.stdout.write(`${name} (${seconds} s)\n`);
  for (const [key, value] of Object.entries(part) as [string, string][]) {
    process.stdout.write(`  ${key.padEnd(22)} ${value}${await sizeOf(value)}\n`);
  }
}

async function sizeOf(file: string): Promise<string> {
  if (!file.startsWith('/')) return '';
  return `  ${((await stat(file)).size / 1_048_576).toFixed(0)} MiB`;
}
