import {
  encodeSoftwareQuote,
  eventDigest,
  MEASUREMENT_BYTES,
  replayEventLog,
  softwareQuoteMessage,
  type SoftwareQuoteBody,
  type TeeDevice,
} from '@usufruct/attestation';
import { assertInvariant, fromHex, refuse, toBase64, toHex } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import type { DevPki } from './dev-pki.js';

const REPORT_DATA_BYTES = 64;

export interface SoftwareTeeOptions {
  readonly pki: DevPki;
  /** What `measureFiles` gave for the runner's files: 96 hex digits. */
  readonly measurement: string;
  /** Claims debug mode, to see it refused. */
  readonly debug?: boolean;
  readonly events?: readonly { readonly name: string; readonly payload: Uint8Array }[];
}

/**
 * DEV ONLY. A TEE device without hardware: quotes in the format of the profile `software-dev`, signed by a key that
 * lies in a file. Anyone who has the file can quote any measurement.
 */
export class SoftwareTee implements TeeDevice {
  readonly profile = 'software-dev';
  readonly standIn = true;

  private constructor(
    private readonly pki: DevPki,
    private readonly code: Pick<SoftwareQuoteBody, 'debug' | 'measurement' | 'register'>,
    readonly eventLog: readonly RuntimeEvent[],
  ) {}

  /** Refuses `INVALID_ARGUMENT` for a measurement of another length. */
  static async create({ pki, measurement, debug = false, events = [] }: SoftwareTeeOptions): Promise<SoftwareTee> {
    const bytes = fromHex(measurement, 'measurement');
    if (bytes.length !== MEASUREMENT_BYTES) {
      throw refuse('INVALID_ARGUMENT', { field: 'measurement', expected: `${MEASUREMENT_BYTES} bytes` });
    }
    const eventLog = await Promise.all(
      events.map(async ({ name, payload }) => ({
        name,
        payload: toBase64(payload),
        digest: toHex(await eventDigest(name, payload)),
      })),
    );
    const register = await replayEventLog(eventLog);
    assertInvariant(register !== null, 'own events replay');
    return new SoftwareTee(pki, { debug, measurement: bytes, register }, eventLog);
  }

  measurement(): Promise<string> {
    return Promise.resolve(toHex(this.code.measurement));
  }

  async quote(reportData: Uint8Array): Promise<Uint8Array> {
    if (reportData.length !== REPORT_DATA_BYTES) {
      throw refuse('INVALID_ARGUMENT', { field: 'reportData', expected: `${REPORT_DATA_BYTES} bytes` });
    }
    return signSoftwareQuote({ ...this.code, reportData }, this.pki);
  }
}

/** A quote over any body: tests make with it what the device would not. */
export async function signSoftwareQuote(body: SoftwareQuoteBody, { leafKey, chain }: DevPki): Promise<Uint8Array> {
  const message = softwareQuoteMessage(body, chain);
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-384' }, leafKey, message);
  return encodeSoftwareQuote({ body, signature: new Uint8Array(signature), chain });
}
