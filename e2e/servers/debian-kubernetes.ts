import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { patchKubernetes } from './debian-kubernetes-patches.ts';
import { downloadPackages, downloadSource, unpackPackages } from './debian-packages.ts';
import type { Source } from './install.ts';
import { progress } from './progress.ts';
import { run, runNicely } from './run.ts';
import { debianKubernetes, kubernetesPins } from './versions.ts';

const { kubernetes: version } = kubernetesPins['1.20'];

/** Where GOPATH mode finds Kubernetes; its `vendor/` folder holds every dependency. */
const project = 'k8s.io/kubernetes';

/**
 * Kubernetes 1.20 from Debian's source package with Debian's Go, both unpacked into the staging folder:
 * nothing is installed. What `make` would do is done by hand (generate the one file that is not in the
 * tarball, then one `go build`), because `make` generates the rest again first. Debian's patches are
 * left out: all of them are about what kubectl prints; what Go 1.19 asks for is patched instead.
 */
export const debianKubernetesBuild: Source = {
  name: "a build of Debian's source package",
  async install(staging) {
    const work = join(staging, 'build');
    const root = join(work, 'root');
    await mkdir(root, { recursive: true });
    const { go, kubectlPackage } = debianKubernetes;
    const packages = [
      ...go.packages.map(name => ({ name, version: go.version })),
      { name: kubectlPackage, version },
    ];
    await unpackPackages(await downloadPackages(packages, work), root);
    await copyFile(join(root, 'usr/bin/kubectl'), join(staging, 'kubectl'));

    const source = join(work, 'gopath', 'src', project);
    await unpackSource(await downloadSource(debianKubernetes.source, version, work), source);
    await patchKubernetes(source);
    const goroot = join(root, 'usr', 'lib', `go-${go.version}`);
    const env = {
      GOROOT: goroot,
      GOPATH: join(work, 'gopath'),
      GOCACHE: join(work, 'gocache'),
      GO111MODULE: 'off',
      GOFLAGS: undefined,
      GOTOOLCHAIN: undefined,
      CGO_ENABLED: '0',
      PATH: `${goroot}/bin:${process.env['PATH']}`,
    };
    await generateOpenApi(source, work, env);
    progress(`kubernetes-${version}: compiling`);
    const variables = { gitVersion: `v${version}`, gitMajor: '1', gitMinor: '20', gitTreeState: 'archive' };
    // The one is what --version prints, the other what /version answers.
    const settings = ['component-base/version', 'client-go/pkg/version'].flatMap(where =>
      Object.entries(variables).map(
        ([name, value]) => `-X ${project}/vendor/k8s.io/${where}.${name}=${value}`,
      ),
    );
    const commands = ['kube-apiserver', 'kube-controller-manager'].map(
      command => `${project}/cmd/${command}`,
    );
    const flags = ['-trimpath', `-ldflags=${['-s -w', ...settings].join(' ')}`];
    await runNicely('go', ['build', ...flags, '-o', `${staging}/`, ...commands], { cwd: source, env });
    await rm(work, { recursive: true, force: true });
  },
};

async function unpackSource(tarball: string, dir: string): Promise<void> {
  const sha256 = createHash('sha256')
    .update(await readFile(tarball))
    .digest('hex');
  if (sha256 !== debianKubernetes.tarballSha256) throw new Error(`${tarball}: unexpected SHA-256 ${sha256}`);
  await mkdir(dir, { recursive: true });
  await run('tar', ['-xf', tarball, '--strip-components=1', '-C', dir]);
}

type GoEnvironment = Readonly<Record<string, string | undefined>>;

/** What `make gen_openapi` does for the API server: see its Makefile.generated_files. */
async function generateOpenApi(source: string, work: string, env: GoEnvironment): Promise<void> {
  progress(`kubernetes-${version}: generating OpenAPI`);
  const generator = join(work, 'openapi-gen');
  const command = `${project}/vendor/k8s.io/kube-openapi/cmd/openapi-gen`;
  await runNicely('go', ['build', '-o', generator, command], { cwd: source, env });
  const tagged = [
    '-rlE',
    '\\+k8s:openapi-gen=',
    '--include=*.go',
    'pkg',
    'cmd',
    'plugin',
    'staging/src/k8s.io',
  ];
  const files = (await run('grep', tagged, { cwd: source })).trim().split('\n');
  const packages = files
    .filter(file => !/\/(code-generator|sample-apiserver)\/|_test\.go$/.test(file))
    .map(file => `${project}/${file.replace(/\/[^/]+$/, '').replace(/^staging\/src\//, 'vendor/')}`);
  await runNicely(
    generator,
    [
      `--input-dirs=${[...new Set(packages)].sort().join(',')}`,
      `--output-package=${project}/pkg/generated/openapi`,
      '--output-file-base=zz_generated.openapi',
      '--go-header-file=vendor/k8s.io/code-generator/hack/boilerplate.go.txt',
      `--report-filename=${join(work, 'openapi-violations')}`,
    ],
    { cwd: source, env },
  );
}

/** etcd as Debian builds it for its `etcd-server`, without the service. */
export const debianEtcd: Source = {
  name: "Debian's package etcd-server",
  async install(staging) {
    const wanted = [{ name: debianKubernetes.etcdPackage, version: kubernetesPins['1.20'].etcd }];
    const root = join(staging, 'root');
    await unpackPackages(await downloadPackages(wanted, staging), root);
    await rename(join(root, 'usr/bin/etcd'), join(staging, 'etcd'));
    await rm(root, { recursive: true });
  },
};
