/** A value as a message shows it: short, on one line, and without the user and the password of a URL. */
export function quoted(value: string): string {
  const shown = value.replaceAll(/(?<=\/\/)[^/?#\s]*@/g, '...@');
  return JSON.stringify(shown.length > 60 ? `${shown.slice(0, 60)}...` : shown);
}
