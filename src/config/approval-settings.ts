import { z } from 'zod';
import { objectsGroup, sourceSettings } from './command-source.ts';
import { setting } from './setting.ts';
import { conditionReason, namespaceName, text } from './values.ts';

const condition = 'What is said about it';

/** The table of all settings of `postern approve` and `postern deny`. */
export const approvalSettings = z.object({
  reason: setting(conditionReason(), {
    group: condition,
    value: 'REASON',
    help: 'The reason of the condition: one word, for programs.',
    default: 'PosternCommandLine',
    flagOnly: true,
  }),
  message: setting(text('a sentence').optional(), {
    group: condition,
    value: 'TEXT',
    help: 'The message of the condition: a sentence, for people.',
    defaultText: 'that it was done by this command',
    flagOnly: true,
  }),
  ...sourceSettings(),
  namespace: setting(namespaceName().optional(), {
    group: objectsGroup,
    value: 'NAMESPACE',
    short: 'n',
    help: 'The namespace of the request.',
    defaultText: 'that of the kubeconfig, else "default"',
  }),
});
