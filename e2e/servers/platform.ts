/**
 * This machine's architecture as Go and Debian spell it, and official releases with them.
 * @throws Error off Linux, and on an architecture that Kubernetes has no release for.
 */
export function goArch(): 'amd64' | 'arm64' {
  if (process.platform !== 'linux')
    throw new Error(`the real servers run on Linux, and this is ${process.platform}`);
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new Error(`no Kubernetes servers are released for ${process.arch}`);
}
