import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The kubectl commands in the bash blocks below one heading (`## ` and so on) of a document, each as its arguments.
 * What is written to a file there, is printed. Throws where there is none.
 */
export async function kubectlCommandsIn(document: string, heading: string): Promise<string[][]> {
  const text = await readFile(join(import.meta.dirname, '../..', document), 'utf8');
  const section = text.split(/^## /m).find(one => one.startsWith(`${heading}\n`)) ?? '';
  const blocks = [...section.matchAll(/^```bash\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
  const commands = blocks
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter(line => line.startsWith('kubectl '))
    .map(line => wordsOf(line.replace(/\s+>\s+\S+$/, '')).slice(1));
  if (commands.length === 0) throw new Error(`${document} has no commands below "${heading}"`);
  return commands;
}

/** The words of a shell command without expansions. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"([^"]*)"/g,
      (_all, single?: string, double?: string) => single ?? double ?? '',
    ),
  );
}
