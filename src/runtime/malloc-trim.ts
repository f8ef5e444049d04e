/** Gives what the C library keeps of freed memory back to the system. Throws nothing. */
export type MallocTrim = () => void;

/**
 * glibc's `malloc_trim` (malloc_trim(3)), by the runtime's experimental `node:ffi`. By itself glibc gives back what lies on top of
 * its heap alone, and something that lives lies above most of what a burst has freed. Undefined where there is no such
 * function or no way to it: another C library, an older or later runtime, a permission that is missing.
 */
export async function mallocTrim(): Promise<MallocTrim | undefined> {
  try {
    const { dlopen } = await import('node:ffi');
    // Of the process itself: nothing is loaded. It stays open for as long as it is held here.
    const libc = dlopen(null, { malloc_trim: { arguments: ['uint64'], return: 'int32' } });
    const trim = (): void => void libc.functions.malloc_trim(0n);
    // A runtime that spells signatures otherwise refuses the argument.
    trim();
    return trim;
  } catch {
    return undefined;
  }
}
