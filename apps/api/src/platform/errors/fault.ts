/** What the operator's log says about a fault: its kind and where it was thrown. Messages may hold users' values. */
export function describeFault(thrown: unknown): Record<string, string> {
  if (!(thrown instanceof Error)) return { kind: typeof thrown };
  const root = thrown.cause instanceof Error ? thrown.cause : thrown;
  const frame = /\n\s+at (?:.*\()?(?:file:\/\/)?([^()\n]+:\d+):\d+\)?/.exec(root.stack ?? '')?.[1] ?? 'unknown';
  const code = 'code' in root && typeof root.code === 'string' ? root.code : 'none';
  return { kind: root.name, where: frame.split('/').slice(-3).join('/'), cause: code };
}
