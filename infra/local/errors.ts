/** What the local system tells its operator: one sentence, no stack. */
export class LocalSystemError extends Error {
  override readonly name = 'LocalSystemError';
}
