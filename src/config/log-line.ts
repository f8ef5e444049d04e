/** One thing to log, already without secrets. */
export interface LogEntry {
  readonly epochMs: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const ownNames: ReadonlySet<string> = new Set(['ts', 'level', 'msg']);

/** One JSON object: `ts`, `level`, `msg`, then the fields; a field of one of these names gets a `_`. */
export function jsonLine({ epochMs, level, message, fields }: LogEntry): string {
  const line: Record<string, unknown> = { ts: new Date(epochMs).toISOString(), level, msg: message };
  for (const [name, value] of Object.entries(fields)) line[ownNames.has(name) ? `${name}_` : name] = value;
  return JSON.stringify(line);
}

const colours = { debug: 90, info: 32, warn: 33, error: 31 } as const;

/** A terminal obeys control characters: in a log line they are only shown. */
const shown = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, character => JSON.stringify(character).slice(1, -1));

/** An error as a sentence: its message, its code, and what caused it. */
function errorText(error: Readonly<Record<string, unknown>>): string {
  const message = String(error['message']);
  const code = typeof error['code'] === 'string' ? ` [${error['code']}]` : '';
  const { cause } = error;
  if (cause === undefined) return message + code;
  return `${message}${code}: ${isErrorFields(cause) ? errorText(cause) : JSON.stringify(cause)}`;
}

function isErrorFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
  );
}

function fieldText(value: unknown): string {
  const text = isErrorFields(value)
    ? errorText(value)
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
  if (typeof value !== 'string' && !isErrorFields(value)) return text;
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/** A short line to read: time of day (UTC), level, message, fields. The stack of an error follows below. */
export function humanLine({ epochMs, level, message, fields }: LogEntry, isColoured: boolean): string {
  const paint = (code: number, text: string): string =>
    isColoured ? `\u001B[${code}m${text}\u001B[0m` : text;
  const time = new Date(epochMs).toISOString().slice(11, 23);
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${paint(90, `${shown(name)}=`)}${shown(fieldText(value))}`);
  const stacks = Object.values(fields).flatMap(value =>
    isErrorFields(value) && typeof value['stack'] === 'string' ? value['stack'].split('\n').slice(1) : [],
  );
  const line = [
    paint(90, time),
    paint(colours[level], level.toUpperCase().padEnd(5)),
    shown(message),
    ...parts,
  ];
  return [line.join(' '), ...stacks.map(shown)].join('\n');
}
