import { NVIDIA_ENDORSEMENTS, type Endorsements } from '@usufruct/attestation';
import { toBase64Url, toHex, utf8 } from '@usufruct/kernel';
import { signRaw } from '../authority.js';

/** A device as a token is about it. */
export interface NrasDevice {
  /** 'GPU-0' */
  readonly name: string;
  /** Of the leaf's certificate, hex. */
  readonly serial: string;
}

type Claims = Readonly<Record<string, unknown>>;

export interface NrasRequest {
  readonly nonce: Uint8Array;
  readonly devices: readonly NrasDevice[];
  readonly nowMs: number;
  /** What differs in the overall token, in all tokens of devices, and in every header. */
  readonly overall?: Claims;
  readonly device?: Claims;
  readonly header?: Claims;
  /** Changes the tokens of the devices after the overall one was made. */
  readonly swap?: (tokens: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
}

const KEY_ID = 'nv-eat-kid-dev-only';
const HOUR_S = 3600;
const DAY_MS = 24 * HOUR_S * 1000;

/** DEV ONLY: a service that answers as NVIDIA's does, with a key of its own. */
export class DevNras {
  private constructor(
    private readonly keys: CryptoKeyPair,
    /** The JWKS as the verifier would have fetched it. */
    readonly endorsements: Endorsements,
  ) {}

  static async create(): Promise<DevNras> {
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify']);
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey);
    const set = { keys: [{ kid: KEY_ID, alg: 'ES384', use: 'sig', kty, crv, x, y }] };
    return new DevNras(keys, { [NVIDIA_ENDORSEMENTS.nrasKeys]: utf8(JSON.stringify(set)) });
  }

  /** A detached EAT bundle in the form of NRAS /v3 and /v4, claims 3.0. */
  async token(request: NrasRequest): Promise<unknown> {
    const { nonce, devices, nowMs, swap = (tokens) => tokens } = request;
    const nowS = Math.floor(nowMs / 1000);
    const common = {
      iss: 'https://nras.attestation.nvidia.com',
      eat_nonce: toHex(nonce),
      iat: nowS,
      nbf: nowS,
      exp: nowS + HOUR_S,
    };
    const tokens: Record<string, string> = {};
    for (const { name, serial } of devices) {
      const ueid = BigInt(`0x${serial}`).toString();
      const good = { measres: 'success', secboot: true, dbgstat: 'disabled', hwmodel: 'GH100 A01 GSP BROM' };
      tokens[name] = await this.sign({ ...common, ueid, ...good, ...request.device }, request.header);
    }
    const digests = await Promise.all(Object.entries(tokens).map(async ([name, text]) => [name, await digestOf(text)]));
    const overall = {
      ...common,
      sub: 'NVIDIA-PLATFORM-ATTESTATION',
      'x-nvidia-ver': '3.0',
      'x-nvidia-overall-att-result': true,
      submods: Object.fromEntries(digests),
      ...request.overall,
    };
    return [['JWT', await this.sign(overall, request.header)], swap(tokens)];
  }

  /** One token of this service. */
  async sign(claims: Claims, header: Claims = {}): Promise<string> {
    const part = (value: unknown): string => toBase64Url(utf8(JSON.stringify(value)));
    const signed = `${part({ kid: KEY_ID, alg: 'ES384', ...header })}.${part(claims)}`;
    if (header['alg'] === 'none') return `${signed}.`;
    return `${signed}.${toBase64Url(await signRaw(this.keys, utf8(signed), 'P-384'))}`;
  }

  /** Seconds of a time so many days from now, as claims have them. */
  static secondsFrom(nowMs: number, days: number): number {
    return Math.floor((nowMs + days * DAY_MS) / 1000);
  }
}

async function digestOf(text: string): Promise<[string, [string, string]]> {
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(utf8(text)));
  return ['DIGEST', ['SHA-256', toHex(new Uint8Array(digest))]];
}
