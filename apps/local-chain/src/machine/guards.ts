import { asTimestampMs, refuse, type TimestampMs } from '@usufruct/kernel';
import { LIMITS, PURPOSE_CODE, type BlobReference } from '@usufruct/protocol';

export function requireInteger(value: number, least: number, most: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw refuse('INVALID_ARGUMENT', { field, expected: `an integer from ${least} to ${most}` });
  }
}

/** A public key of 32 bytes that is not all zero. That it is a point of its curve shows when it is used. */
export function requireKey(key: Uint8Array, field: string): void {
  if (key.length !== 32 || key.every((byte) => byte === 0)) {
    throw refuse('INVALID_ARGUMENT', { field, expected: '32 bytes that are not all zero' });
  }
}

export function requireSet(values: readonly string[], field: string, most = 32): void {
  if (values.length === 0 || values.length > most || new Set(values).size !== values.length) {
    throw refuse('INVALID_ARGUMENT', { field, expected: `1 to ${most} different values` });
  }
}

export function requirePurposes(purposes: readonly string[]): void {
  requireSet(purposes, 'purposes');
  if (!purposes.every((purpose) => PURPOSE_CODE.test(purpose))) {
    throw refuse('INVALID_ARGUMENT', { field: 'purposes', expected: 'DUO or DPV codes' });
  }
}

export function requireBlob(blob: BlobReference, mostBytes: number, field: string): void {
  requireInteger(blob.sizeBytes, 1, mostBytes, `${field}.sizeBytes`);
}

export const requireTimestamp = (value: number, field: string): TimestampMs => asTimestampMs(value, field);

/** A signed manifest is the manifest, its signature in base64 and their lengths. */
export const SIGNED_MANIFEST_BYTES = LIMITS.manifestBytes + 2_048;
