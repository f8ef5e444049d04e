import { z } from 'zod';
import { objectsGroup, sourceSettings } from './command-source.ts';
import { setting } from './setting.ts';
import { namespaceName, oneOf } from './values.ts';

/** The table of all settings of `postern inspect`. */
export const inspectSettings = z.object({
  ...sourceSettings(),
  namespace: setting(namespaceName().optional(), {
    group: objectsGroup,
    value: 'NAMESPACE',
    short: 'n',
    help: 'The namespace of the Secret.',
    defaultText: 'that of the kubeconfig, else "default"',
  }),
  output: setting(oneOf('text', 'json'), {
    group: 'Output',
    value: 'FORMAT',
    short: 'o',
    help: '"text" to read, "json" for programs.',
    default: 'text',
    flagOnly: true,
  }),
});
