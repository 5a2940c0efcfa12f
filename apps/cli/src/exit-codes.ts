import type { UsufructError } from '@usufruct/kernel';

/** What a shell sees. Documented in `usufruct --help`; scripts may rely on it. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  refused: 3,
  unavailable: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  something went wrong inside
  2  the command, an argument or the configuration is not valid
  3  refused: the error's code says by which rule, its remedy what would satisfy it
  4  a part of the system is not available: the same command may succeed later`;

const USAGE_CODES: readonly string[] = ['INVALID_ARGUMENT', 'MALFORMED_REQUEST', 'CONFIG_INVALID'];

export function exitCodeOf({ code, entry }: UsufructError): ExitCode {
  if (code === 'INTERNAL') return EXIT.internal;
  if (USAGE_CODES.includes(code)) return EXIT.usage;
  return entry.http >= 502 && entry.http <= 504 ? EXIT.unavailable : EXIT.refused;
}
