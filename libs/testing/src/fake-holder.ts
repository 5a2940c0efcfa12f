import {
  generateKeyPair,
  generateSigningKey,
  open,
  sign,
  verifyShare,
  verifyWalletSignature,
  type HpkeKeyPair,
  type Share,
  type SigningKey,
} from '@usufruct/crypto';
import {
  asTimestampMs,
  equalBytes,
  fromBase64,
  toBase64,
  UsufructError,
  refuse,
  type Address,
  type Digest,
  type TimestampMs,
} from '@usufruct/kernel';
import {
  decodeManifest,
  encodeSealingKey,
  heldKeys,
  manifestDigest,
  parseAt,
  ShareBcs,
  ShareReceiptBcs,
  shareSealInfo,
  TAGS,
  toWireJson,
  WALLET_ACTIONS,
  walletStatementBytes,
  zDepositShareRequest,
  type HolderMember,
  type Manifest,
  type SealingKeyStatement,
  type SignedSealingKey,
} from '@usufruct/protocol';
import { testChainInfo } from './fake-chain.js';
import { idOf, seededRandom, TEST_NOW_MS } from './values.js';

interface Subkey extends HpkeKeyPair {
  readonly notBeforeMs: TimestampMs;
}
const SUBKEY_TERM_MS = 24 * 60 * 60_000;

/**
 * A key holder that verifies and keeps shares, behind a `fetch` of its own instead of a network. It answers
 * `/v1/identity`, `/v1/sealing-key` and `/v1/shares` as the real one does; it knows no chain and releases nothing.
 */
export class FakeHolder {
  isDown = false;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  private rotations = 0;
  /** By manifest digest. */
  readonly shares = new Map<Digest, { readonly share: Share; readonly manifest: Manifest }>();

  private constructor(
    readonly url: string,
    private readonly chainId: string,
    private readonly signing: SigningKey,
    private readonly sealing: HpkeKeyPair,
    private subkey: Subkey,
    readonly operator: Address,
  ) {}

  static async create(name: string, chainId: string): Promise<FakeHolder> {
    const random = seededRandom(`holder-${name}`);
    const sealing = await generateKeyPair(random);
    return new FakeHolder(
      `http://${name}.test`,
      chainId,
      generateSigningKey(random),
      sealing,
      { ...(await generateKeyPair(random)), notBeforeMs: TEST_NOW_MS },
      idOf(`operator-${name}`),
    );
  }

  get member(): HolderMember {
    return {
      operator: this.operator,
      signingPublicKey: this.signing.publicKey,
      sealingPublicKey: this.sealing.publicKey,
    };
  }

  /** Shares open with the next one only; without a moment, the one that tests begin at. */
  async rotate(notBeforeMs: TimestampMs = TEST_NOW_MS): Promise<void> {
    this.subkey = { ...(await generateKeyPair(seededRandom(`${this.url}/${this.rotations++}`))), notBeforeMs };
  }

  /** Its word about the key to seal to, or one with other things in it. */
  async sealingKey(changes: Partial<SealingKeyStatement> = {}): Promise<SignedSealingKey> {
    const { publicKey, notBeforeMs } = this.subkey;
    const bytes = encodeSealingKey({
      chainId: this.chainId,
      packageId: testChainInfo().packageId,
      holderSigningKey: this.signing.publicKey,
      publicKey,
      notBeforeMs,
      notAfterMs: asTimestampMs(notBeforeMs + SUBKEY_TERM_MS),
      ...changes,
    });
    const { secretKey } = this.signing;
    const signature = await sign({ secretKey, domainTag: TAGS.sealingKey, message: bytes });
    return { statement: toBase64(bytes), signature: toBase64(signature) };
  }

  async answer(path: string, body: unknown): Promise<Response> {
    if (this.isDown) throw new TypeError('fetch failed');
    this.asked.push(path);
    try {
      return new Response(toWireJson(await this.route(path, body)));
    } catch (error) {
      if (!(error instanceof UsufructError)) throw error;
      return new Response(JSON.stringify(error.toWire()), { status: error.entry.http });
    }
  }

  private route(path: string, body: unknown): object | Promise<object> {
    if (path === '/v1/identity') {
      return {
        signingPublicKey: toBase64(this.signing.publicKey),
        sealingPublicKey: toBase64(this.sealing.publicKey),
        operator: this.operator,
        chainId: this.chainId,
        standIns: [],
      };
    }
    if (path === '/v1/sealing-key') return this.sealingKey();
    if (path === '/v1/shares') return this.deposit(body);
    throw refuse('NOT_FOUND');
  }

  private async deposit(body: unknown): Promise<object> {
    const request = parseAt(zDepositShareRequest, body, 'deposit');
    const bytes = fromBase64(request.manifest);
    const manifest = decodeManifest(bytes);
    const digest = manifestDigest(bytes);
    const statement = { action: WALLET_ACTIONS.manifest, chainId: this.chainId, digest };
    const message = walletStatementBytes(statement);
    await verifyWalletSignature({ address: manifest.owner, message, signature: request.signature });
    const sealed = fromBase64(request.sealedShare);
    const info = shareSealInfo(digest);
    const { privateKey, publicKey } = this.subkey;
    if (!equalBytes(publicKey, fromBase64(request.sealedTo))) throw refuse('SEALING_KEY_RETIRED');
    const share = ShareBcs.parse(await open({ privateKey, info, aad: new Uint8Array(), sealed }));
    if (!verifyShare(share, heldKeys(manifest).commitments))
      throw refuse('SHARE_INVALID', { index: String(share.index) });
    this.shares.set(digest, { share, manifest });
    const { index } = share;
    const receipt = ShareReceiptBcs.serialize({ manifestDigest: digest, holderSetId: manifest.holderSetId, index });
    const { secretKey } = this.signing;
    const signature = await sign({ secretKey, domainTag: TAGS.shareReceipt, message: receipt.toBytes() });
    return { manifestDigest: digest, index, signature: toBase64(signature) };
  }
}

/** A `fetch` that reaches these holders and nobody else. */
export const fetchOf =
  (holders: readonly FakeHolder[]) =>
  async (input: string, init?: RequestInit): Promise<Response> => {
    const url = new URL(input);
    const holder = holders.find((each) => each.url === url.origin);
    if (holder === undefined) throw new TypeError('fetch failed');
    return holder.answer(url.pathname, typeof init?.body === 'string' ? JSON.parse(init.body) : undefined);
  };
