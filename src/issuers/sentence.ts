/** A name or a value in a sentence. */
export function quoted(value: string | undefined): string {
  return JSON.stringify(value ?? '');
}

/** Another part's message as the end of a sentence: with one full stop, whether it brought one or not. */
export function ended(text: string): string {
  return `${text.replace(/[\s.;]+$/, '')}.`;
}
