import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { provisionHelm } from '../e2e/servers/helm.ts';
import { ifAvailable } from '../e2e/servers/install.ts';
import { chartFolder, renderChart } from './chart.ts';

/*
 * Writes what is made from other files: the chart's copies of the CRDs, and the plain manifests, which are the
 * chart with its default values. With --check it writes nothing, names what differs and ends with 1. Where Helm
 * cannot be had it says so, and leaves the plain manifests alone.
 */

const root = join(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');
const command = 'node deploy/render.ts';
const problems: string[] = [];

/** Plain manifests, each with the Kubernetes version that they are for and whoever is newer. */
const plainManifests: readonly (readonly [file: string, kubeVersion: string, forWhom: string])[] = [
  ['postern.yaml', '1.25.0', 'Kubernetes 1.21 and newer'],
  ['kubernetes-1.20/postern.yaml', '1.20.0', 'Kubernetes 1.20'],
];

/** The namespace of the plain manifests. Helm makes that of a release by itself. */
const namespaceDocument = `apiVersion: v1
kind: Namespace
metadata:
  name: postern-system
  labels:
    app.kubernetes.io/name: postern
    pod-security.kubernetes.io/enforce: restricted
`;

copyCrds();
checkVersions();
const helm = await ifAvailable(provisionHelm());
if (helm === undefined) {
  console.error('*** Without Helm deploy/manifests is neither rendered nor checked.');
} else {
  for (const [file, kubeVersion, forWhom] of plainManifests) {
    const rendered = await renderChart({
      helm: helm.helm,
      kubeVersion,
      values: { crds: { enabled: false } },
    });
    put(join(import.meta.dirname, 'manifests', file), plain(rendered, forWhom));
  }
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

/** Without what only Helm wants to know. */
function plain(rendered: string, forWhom: string): string {
  const kept = rendered
    .split('\n')
    .filter(line => !/^# Source: |^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): /.test(line))
    .join('\n');
  const header = [
    `# Postern on ${forWhom}. The CRDs are not in here: see docs/install.md.`,
    `# Rendered from deploy/chart/postern by "${command}": change the chart, not this.`,
  ];
  return `${header.join('\n')}\n---\n${namespaceDocument}${kept}`;
}

function copyCrds(): void {
  const source = join(root, 'crds');
  const target = join(chartFolder, 'files', 'crds');
  const wanted = yamlFilesIn(source);
  for (const file of yamlFilesIn(target)) if (!wanted.includes(file)) remove(join(target, file));
  for (const file of wanted) put(join(target, file), readFileSync(join(source, file), 'utf8'));
}

function checkVersions(): void {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
    devDependencies: { node: string };
  };
  const must = (path: string, line: string) => {
    if (readFileSync(path, 'utf8').split('\n').includes(line)) return;
    problems.push(`${relative(root, path)} must have the line "${line}", as package.json has it`);
  };
  must(join(chartFolder, 'Chart.yaml'), `version: ${manifest.version}`);
  must(join(chartFolder, 'Chart.yaml'), `appVersion: ${manifest.version}`);
  must(join(import.meta.dirname, 'Dockerfile'), `ARG NODE_IMAGE=node:${manifest.devDependencies.node}-slim`);
}

function put(path: string, text: string): void {
  const name = relative(root, path);
  if (textOf(path) === text) return;
  if (isCheck) {
    problems.push(`${name} is not what it is made from says: run "${command}"`);
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`wrote ${name}`);
}

function remove(path: string): void {
  const name = relative(root, path);
  if (isCheck) problems.push(`${name} is made from nothing any more: run "${command}"`);
  else rmSync(path);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function yamlFilesIn(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.yaml'))
    .toSorted();
}
