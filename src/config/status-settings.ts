import { z } from 'zod';
import { objectsGroup, sourceSettings } from './command-source.ts';
import { setting } from './setting.ts';
import { listOf, namespaceName, objectName, oneOf } from './values.ts';

/** The table of all settings of `postern status`. */
export const statusSettings = z.object({
  ...sourceSettings(),
  namespace: setting(namespaceName().optional(), {
    group: objectsGroup,
    value: 'NAMESPACE',
    short: 'n',
    help: 'Look at this namespace alone.',
    defaultText: 'all namespaces; for one certificate, that of the kubeconfig, else "default"',
  }),
  ingressClass: setting(listOf(objectName()), {
    group: objectsGroup,
    value: 'NAME',
    help: 'The --ingress-class of the Postern that serves the Ingresses. May be repeated.',
    default: '',
    defaultText: 'none',
  }),
  output: setting(oneOf('table', 'json'), {
    group: 'Output',
    value: 'FORMAT',
    short: 'o',
    help: '"table" to read, "json" for programs.',
    default: 'table',
  }),
});
