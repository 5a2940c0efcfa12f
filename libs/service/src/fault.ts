const FRAME = /^\s+at .*?([^/\\()\s]+(?:[/\\][^/\\()\s]+){0,2}\.[cm]?[jt]s:\d+):\d+\)?$/;
const SYSTEM_CODE = /^[A-Z][A-Z0-9_]{1,40}$/;

/** What the log may say of an unexpected error: its class, its place and the system's code; its message may quote a secret. */
export function describeFault(thrown: unknown): Readonly<Record<string, string>> {
  if (!(thrown instanceof Error)) return { kind: typeof thrown };
  const root = thrown.cause instanceof Error ? thrown.cause : thrown;
  const frames = root.stack?.replace(root.message, '').split('\n') ?? [];
  const where = frames.map((line) => FRAME.exec(line)?.[1]).find((place) => place !== undefined);
  const code = 'code' in root && typeof root.code === 'string' && SYSTEM_CODE.test(root.code) ? root.code : undefined;
  return { kind: root.name, ...(where !== undefined && { where }), ...(code !== undefined && { cause: code }) };
}
