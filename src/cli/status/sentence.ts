/** A name in a sentence. */
export const quoted = (name: string | undefined): string => JSON.stringify(name ?? '');

/** Another's message as the rest of a sentence: one line, without control characters and the full stop. */
export function clause(message: string | undefined): string {
  const text = (message ?? '')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .replace(/[.;]+$/, '');
  return text === '' ? 'without a reason' : text;
}

/** A time of the near past or future: `2026-04-01 12:30 UTC`. */
export function moment(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
