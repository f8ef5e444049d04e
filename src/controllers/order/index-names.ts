/** The index of Challenges by the uid of their Order. */
export const byOrder = 'order';
