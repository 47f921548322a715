/** The name of the error of a system call, as in errno(3); empty for anything else that was thrown. */
export function errnoOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}
