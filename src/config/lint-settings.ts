import { z } from 'zod';
import { setting } from './setting.ts';
import { bool, listOf, objectName, oneOf } from './values.ts';

/** The table of all settings of `postern lint`. */
export const lintSettings = z.object({
  ingressClass: setting(listOf(objectName()), {
    group: 'What is judged',
    value: 'NAME',
    help: 'The --ingress-class of the Postern that is to serve the manifests. May be repeated. Ingresses of other classes are looked at all the same.',
    default: '',
    defaultText: 'none',
  }),
  strict: setting(bool(), {
    group: 'What is judged',
    help: 'What is served differently counts as a failure too.',
    default: 'false',
    flagOnly: true,
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
