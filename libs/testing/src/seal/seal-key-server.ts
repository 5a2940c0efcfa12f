import { bcs } from '@mysten/bcs';
import { TransactionDataBuilder } from '@mysten/sui/transactions';
import { deriveDynamicFieldID } from '@mysten/sui/utils';
import { verifyPersonalMessageSignature } from '@mysten/sui/verify';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, fromBase64, fromHex, toBase64, utf8, type Hex32 } from '@usufruct/kernel';
import type { FakeSui } from '../move/fake-sui.js';
import { idOf } from '../values.js';

const { G1, G2, fields, shortSignatures } = bls12_381;
type G1Point = InstanceType<typeof G1.Point>;
const TTL_AT_MOST_MIN = 30;

/** As a key server's object and its version are stored: `key_server::KeyServer` and `KeyServerV2` of Seal's package. */
const ParentBcs = bcs.struct('KeyServer', { id: bcs.bytes(32), first: bcs.u64(), last: bcs.u64() });
const VersionBcs = bcs.struct('KeyServerV2', {
  name: bcs.string(),
  keyType: bcs.u8(),
  pk: bcs.byteVector(),
  serverType: bcs.enum('ServerType', { Independent: bcs.struct('Independent', { url: bcs.string() }) }),
});
const RequestBcs = bcs.struct('Request', { ptb: bcs.byteVector(), encKey: bcs.byteVector(), encVk: bcs.byteVector() });

interface Certificate {
  readonly user: string;
  readonly session_vk: string;
  readonly creation_time: number;
  readonly ttl_min: number;
  readonly signature: string;
}
interface FetchKeyBody {
  readonly ptb: string;
  readonly enc_key: string;
  readonly enc_verification_key: string;
  readonly request_signature: string;
  readonly certificate: Certificate;
}
export interface SealAnswer {
  decryption_keys: { id: number[]; encrypted_key: [string, string] }[];
}
class Refused extends Error {}

/**
 * One of Seal's key servers in memory: the public protocol (Boneh-Franklin extraction on BLS12-381, certificate,
 * request signature, ElGamal under the request's key) written from its description on noble-curves, without Seal's own
 * code. Whether a key is given out is what `FakeSui.dryRun` says, as with a real server and its full node.
 */
export class SealKeyServer {
  readonly objectId: Hex32;
  readonly url: string;
  /** How many requests for keys came, whatever became of them. */
  asked = 0;
  isDown = false;
  /** Its full node has not seen what ours has. */
  isBehind = false;
  clockAheadMs = 0;
  /** Changes what is sent back; on the way or by a server that lies. */
  tamper: (answer: SealAnswer) => SealAnswer = (answer) => answer;
  #master: bigint;

  constructor(
    name: string,
    private readonly sui: FakeSui,
    private readonly packageId: Hex32,
  ) {
    this.objectId = idOf<Hex32>(`key server ${name}`);
    this.url = `http://${name}.seal.test`;
    this.#master = fields.Fr.create(BigInt(idOf(`master key ${name}`)));
    this.#install(name);
  }

  /** From now on it derives with a key that is not the one on the chain. */
  loseMasterKey(): void {
    this.#master = fields.Fr.create(this.#master + 1n);
  }

  async answer(url: URL, init?: RequestInit): Promise<Response> {
    if (this.isDown) throw new TypeError('fetch failed');
    try {
      if (url.pathname === '/v1/service') return reply(200, this.#service());
      if (url.pathname !== '/v1/fetch_key') return reply(404, { error: 'NotFound', message: '' });
      this.asked += 1;
      return reply(200, this.tamper(await this.#fetchKey(JSON.parse(String(init?.body)) as FetchKeyBody)));
    } catch (error) {
      if (error instanceof Refused) return reply(403, { error: error.message, message: 'refused' });
      throw error;
    }
  }

  #publicKey = (): Uint8Array => G2.Point.BASE.multiply(this.#master).toBytes();

  #service() {
    const message = concatBytes(utf8('SUI-SEAL-IBE-BLS12381-POP-00'), this.#publicKey(), fromHex(this.objectId));
    const secretKey = fields.Fr.toBytes(this.#master);
    const pop = shortSignatures.sign(shortSignatures.hash(message), secretKey).toBytes();
    return { service_id: this.objectId, pop: toBase64(pop) };
  }

  async #fetchKey(body: FetchKeyBody): Promise<SealAnswer> {
    const { certificate } = body;
    const ptb = fromBase64(body.ptb);
    const encKey = fromBase64(body.enc_key);
    const encVk = fromBase64(body.enc_verification_key);
    const kind = concatBytes(Uint8Array.of(0), ptb);
    const ids = this.#idsOf(kind);
    await this.#requireCertificate(certificate);
    const signed = RequestBcs.serialize({ ptb, encKey, encVk }).toBytes();
    if (!ed25519.verify(fromBase64(body.request_signature), signed, fromBase64(certificate.session_vk))) {
      throw new Refused('InvalidSessionSignature');
    }
    if (this.isBehind || this.sui.dryRun(kind, certificate.user) !== null) throw new Refused('NoAccess');
    return {
      decryption_keys: ids.map((id) => ({
        id: [...id],
        encrypted_key: this.#encrypted(id, G1.Point.fromBytes(encKey)),
      })),
    };
  }

  /** Commands may only be calls of `seal_approve*` of one package, each with its identity first. */
  #idsOf(kind: Uint8Array): Uint8Array[] {
    const { commands, inputs } = TransactionDataBuilder.fromKindBytes(kind);
    if (commands.length === 0) throw new Refused('InvalidPTB');
    return commands.map((command) => {
      const call = command.$kind === 'MoveCall' ? command.MoveCall : null;
      const first = call?.arguments[0];
      const input = first?.$kind === 'Input' ? inputs[first.Input] : undefined;
      if (!call?.function.startsWith('seal_approve') || input?.$kind !== 'Pure') throw new Refused('InvalidPTB');
      if (call.package !== this.packageId) throw new Refused('InvalidPackage');
      const id = bcs.byteVector().parse(fromBase64(input.Pure.bytes));
      return concatBytes(fromHex(this.packageId), Uint8Array.from(id));
    });
  }

  async #requireCertificate({ user, session_vk, creation_time, ttl_min, signature }: Certificate): Promise<void> {
    const ageMs = Date.now() + this.clockAheadMs - creation_time;
    if (ttl_min > TTL_AT_MOST_MIN || ageMs < 0 || ageMs > ttl_min * 60_000) throw new Refused('InvalidCertificate');
    const at = new Date(creation_time).toISOString().slice(0, 19).replace('T', ' ');
    const words = `Accessing keys of package ${this.packageId} for ${ttl_min} mins from ${at} UTC, session key ${session_vk}`;
    await verifyPersonalMessageSignature(utf8(words), signature, { address: user }).catch(() => {
      throw new Refused('InvalidSignature');
    });
  }

  #encrypted(id: Uint8Array, encKey: G1Point): [string, string] {
    const identity = G1.hashToCurve(concatBytes(utf8('SUI-SEAL-IBE-BLS12381-00'), id)) as G1Point;
    const key = identity.multiply(this.#master);
    const r = fields.Fr.create(BigInt(`0x${'17'.repeat(31)}`));
    return [toBase64(G1.Point.BASE.multiply(r).toBytes()), toBase64(key.add(encKey.multiply(r)).toBytes())];
  }

  #install(name: string): void {
    const content = ParentBcs.serialize({ id: fromHex(this.objectId), first: 1n, last: 2n }).toBytes();
    this.sui.objects.set(this.objectId, { type: `${SEAL}::key_server::KeyServer`, content });
    const version = bcs.u64().serialize(2n).toBytes();
    const serverType = { Independent: { url: this.url } };
    const value = VersionBcs.serialize({ name, keyType: 0, pk: this.#publicKey(), serverType }).toBytes();
    this.sui.objects.set(deriveDynamicFieldID(this.objectId, 'u64', version), {
      type: `0x2::dynamic_field::Field<u64, ${SEAL}::key_server::KeyServerV2>`,
      content: concatBytes(new Uint8Array(32), version, value),
    });
  }
}

const SEAL = idOf("Seal's package");

const reply = (status: number, body: object): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'X-KeyServer-Version': '0.6.0' } });

/** A `fetch` that reaches these key servers and nobody else. */
export const sealFetch =
  (servers: readonly SealKeyServer[]): typeof globalThis.fetch =>
  async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const server = servers.find((each) => each.url === url.origin);
    if (server === undefined) throw new TypeError('fetch failed');
    return server.answer(url, init);
  };
