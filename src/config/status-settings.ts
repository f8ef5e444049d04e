import { z } from 'zod';
import { setting } from './setting.ts';
import { namespaceName, oneOf, text } from './values.ts';

const objects = 'Where the objects are';
const output = 'Output';

/** The table of all settings of `postern status`. */
export const statusSettings = z.object({
  kubeconfig: setting(text('a file').optional(), {
    group: objects,
    value: 'FILE',
    help: 'The kubeconfig of the cluster.',
    defaultText: '$KUBECONFIG, then ~/.kube/config, then the ServiceAccount of the pod',
  }),
  standalone: setting(text('a folder').optional(), {
    group: objects,
    value: 'DIR',
    help: 'Look at the Postern that runs with the same flag, instead of a cluster.',
  }),
  stateDir: setting(text('a folder').optional(), {
    group: objects,
    value: 'DIR',
    help: 'Look at this state folder of a Postern that runs standalone, instead of a cluster.',
    defaultText: 'with --standalone, the folder that "postern run" would use',
  }),
  namespace: setting(namespaceName().optional(), {
    group: objects,
    value: 'NAMESPACE',
    short: 'n',
    help: 'Look at this namespace alone.',
    defaultText: 'all namespaces',
  }),
  output: setting(oneOf('table', 'json'), {
    group: output,
    value: 'FORMAT',
    short: 'o',
    help: '"table" to read, "json" for programs.',
    default: 'table',
  }),
});
