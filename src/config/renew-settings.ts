import { z } from 'zod';
import { objectsGroup, sourceSettings } from './command-source.ts';
import { setting } from './setting.ts';
import { bool, namespaceName, text } from './values.ts';

const which = 'Which certificates';

/** The table of all settings of `postern renew`. */
export const renewSettings = z.object({
  all: setting(bool(), {
    group: which,
    help: 'Renew every certificate of the namespace.',
    default: 'false',
    flagOnly: true,
  }),
  selector: setting(text('a label selector').optional(), {
    group: which,
    value: 'SELECTOR',
    short: 'l',
    help: 'Renew the certificates with these labels: app=shop, or "tier in (web,api)".',
    flagOnly: true,
  }),
  allNamespaces: setting(bool(), {
    group: which,
    short: 'A',
    help: 'With --all or --selector: in all namespaces.',
    default: 'false',
    flagOnly: true,
  }),
  ...sourceSettings(),
  namespace: setting(namespaceName().optional(), {
    group: objectsGroup,
    value: 'NAMESPACE',
    short: 'n',
    help: 'The namespace of the certificates.',
    defaultText: 'that of the kubeconfig, else "default"',
  }),
});
