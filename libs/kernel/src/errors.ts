import { CATALOGUE, type CatalogueEntry, type ErrorCode } from './catalogue.js';

/** What leaves a process about a refusal or an error: no stack, no secret, no payload. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** What would satisfy the rule that refused. */
  readonly remedy: string;
  readonly details: Readonly<Record<string, string>>;
}

/**
 * The one error class. `details` carry ids, names of fields and limits, never values that a user may have meant to
 * keep secret. `cause` is for the local log only and is never serialised.
 */
export class UsufructError extends Error {
  override readonly name = 'UsufructError';
  constructor(
    readonly code: ErrorCode,
    readonly details: Readonly<Record<string, string>> = {},
    options?: { cause?: unknown },
  ) {
    super(describe(code, details), options);
  }
  get entry(): CatalogueEntry {
    return CATALOGUE[this.code];
  }
  toWire(): WireError {
    return { code: this.code, message: this.message, remedy: this.entry.remedy, details: this.details };
  }
}

const describe = (code: ErrorCode, details: Readonly<Record<string, string>>): string => {
  const about = Object.entries(details).map(([key, value]) => `${key}: ${value}`);
  return about.length === 0 ? CATALOGUE[code].message : `${CATALOGUE[code].message} (${about.join('; ')})`;
};

/** Build (not throw) an error: `throw refuse('GRANT_REVOKED', {grantId})`. */
export const refuse = (
  code: ErrorCode,
  details: Readonly<Record<string, string>> = {},
  cause?: unknown,
): UsufructError => new UsufructError(code, details, cause === undefined ? undefined : { cause });

/** Anything thrown, as something safe to send: unknown errors become `INTERNAL` and say nothing. */
export const toUsufructError = (error: unknown): UsufructError =>
  error instanceof UsufructError ? error : refuse('INTERNAL', {}, error);

export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(CATALOGUE, value);

/** Rebuild an error that another process sent; an unknown or malformed one becomes `UPSTREAM_INVALID`. */
export function fromWire(body: unknown, upstream: string): UsufructError {
  if (typeof body === 'object' && body !== null && 'code' in body && isErrorCode(body.code)) {
    const details = 'details' in body && isStringRecord(body.details) ? body.details : {};
    return refuse(body.code, details);
  }
  return refuse('UPSTREAM_INVALID', { upstream });
}

const isStringRecord = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && Object.values(value).every((v) => typeof v === 'string');

/** An expected "no" as data, for pure decision functions. */
export type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: UsufructError };
export const granted = <T>(value: T): Result<T> => ({ ok: true, value });
export const refused = (
  code: ErrorCode,
  details: Readonly<Record<string, string>> = {},
): { ok: false; refusal: UsufructError } => ({
  ok: false,
  refusal: refuse(code, details),
});

/** A broken invariant: a bug, masked to clients as `INTERNAL`. */
export function assertInvariant(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new Error(`broken invariant: ${invariant}`);
}
