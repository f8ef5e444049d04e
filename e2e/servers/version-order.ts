/** Compares dotted version numbers; what is missing counts as 0. */
export function isAtLeast(version: string, minimum: string): boolean {
  const parts = (text: string) => text.split(/[^0-9]+/).map(Number);
  const [have, want] = [parts(version), parts(minimum)];
  for (let i = 0; i < want.length; i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
