import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anIngress } from '../../src/edge/compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../../src/edge/edge.testing.ts';
import { freePort } from '../harness/free-port.ts';
import { killServer } from '../harness/server-process.ts';
import { providePeers } from '../servers/peers.ts';
import { type PeerName, peerProxies } from './peer-proxies.ts';
import { type Recorder, startRecorder } from './recorder.ts';

/** The edge in a chain with one other proxy, on loopback, and a recorder at its end. */
export interface FuzzBed {
  /** The edge whose upstream is the other proxy. */
  readonly behind: { readonly port: number; readonly recorder: Recorder };
  /** The other proxy, whose upstream is the edge. */
  readonly before: { readonly port: number; readonly recorder: Recorder; readonly mark: string };
  close(): Promise<void>;
}

/** An edge of this process that sends all requests to one port on loopback. */
async function edgeTo(port: number): Promise<TestEdge> {
  return startTestEdge([anIngress({ rules: { '': [['/', 'Prefix']] } }), ...loopbackService('web', port)]);
}

export async function startFuzzBed(name: PeerName): Promise<FuzzBed> {
  const dir = await mkdtemp(join(tmpdir(), `postern-fuzz-${name}-`));
  const peers = await providePeers();
  const recorders = [await startRecorder(), await startRecorder()] as const;
  const [behindPort, beforePort] = [await freePort('127.0.0.1'), await freePort('127.0.0.1')];
  const mark = 'from-the-front';
  const edges = [await edgeTo(behindPort), await edgeTo(recorders[1].port)] as const;
  const passages = [
    { from: behindPort, to: recorders[0].port },
    { from: beforePort, to: edges[1].httpPort, mark },
  ];
  const peer = await peerProxies[name]({ dir, peers, passages });
  for (const recorder of recorders) recorder.take();
  return {
    behind: { port: edges[0].httpPort, recorder: recorders[0] },
    before: { port: beforePort, recorder: recorders[1], mark },
    async close() {
      await killServer(peer);
      for (const { edge } of edges) await edge.stop();
      for (const recorder of recorders) await recorder.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
