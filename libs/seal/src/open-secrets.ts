import { SessionKey, type SealClient } from '@mysten/seal';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import type { SealRequest } from '@usufruct/chain';
import {
  asId,
  refuse,
  toUsufructError,
  type Address,
  type ContributionId,
  type GrantId,
  type Hex32,
  type JobId,
  type RunnerId,
  type UsufructError,
} from '@usufruct/kernel';
import { LIMITS, type SealedKeys } from '@usufruct/protocol';
import { sealClient, type SealAccess } from './access.js';
import { identityOf, requireEncryptedSecret, SECRET_BYTES } from './encrypted-secret.js';
import { keyServerRefusal } from './key-server-refusal.js';

/** A certificate is made for one request; servers take whole minutes, and the client wants ten seconds to spare. */
const CERTIFICATE_MIN = 2;

export interface SecretWanted {
  readonly contributionId: ContributionId;
  /** The grant under which it is used; the contract judges it. */
  readonly grantId: GrantId;
  readonly keys: SealedKeys;
}
export interface OpenParams {
  readonly jobId: JobId;
  readonly runnerId: RunnerId;
  /**
   * Ed25519 seed of the runner's attested key, whose address is the only sender that the contract takes. It signs what
   * Sui calls a personal message, the hash of which no message under one of our domain tags can be.
   */
  readonly signingSecretKey: Uint8Array;
  readonly wanted: readonly SecretWanted[];
}
export interface OpenedSecrets {
  readonly secrets: ReadonlyMap<ContributionId, Uint8Array>;
  /** Why not, for each of the others. */
  readonly refusals: ReadonlyMap<ContributionId, UsufructError>;
}

/**
 * Asks the key servers for the keys of these contributions and opens their secrets. The servers run `seal_approve` on
 * their full nodes, each on its own view; this proves to nobody what runs here now (no challenge, no evidence), and
 * leaves no entry in any log. Nothing is kept between calls: the next one is judged anew.
 *
 * One contribution's refusal stops no other: `MANIFEST_INVALID` (what is encrypted is not what the manifest must
 * bind), `KEY_MODE_UNAVAILABLE` (too few of its servers are configured here), what the contracts refuse
 * (`GRANT_REVOKED`, `TOMBSTONED`, …), `KEY_SERVERS_REFUSED` (the servers refuse, and our own node does not know why),
 * `SHARES_INSUFFICIENT` (fewer than the threshold gave a true key), `UPSTREAM_INVALID`, `CHAIN_UNAVAILABLE`.
 */
export async function openSecrets(access: SealAccess, params: OpenParams): Promise<OpenedSecrets> {
  const run = new Opening(access, params);
  await run.all();
  return run;
}

interface Group {
  readonly servers: readonly Hex32[];
  readonly threshold: number;
  readonly wanted: SecretWanted[];
}

class Opening implements OpenedSecrets {
  readonly secrets = new Map<ContributionId, Uint8Array>();
  readonly refusals = new Map<ContributionId, UsufructError>();
  readonly #keypair: Ed25519Keypair;

  constructor(
    private readonly access: SealAccess,
    private readonly params: OpenParams,
  ) {
    this.#keypair = Ed25519Keypair.fromSecretKey(params.signingSecretKey);
  }

  async all(): Promise<void> {
    for (const { servers, threshold, wanted } of this.#groups()) {
      const client = sealClient(this.access, servers, { isVerifying: false });
      for (let from = 0; from < wanted.length; from += LIMITS.sealUsesPerRequest) {
        await this.#some(client, threshold, wanted.slice(from, from + LIMITS.sealUsesPerRequest));
      }
    }
  }

  /** Those that have the same servers, of which we know enough, and the same threshold can be asked for together. */
  #groups(): Group[] {
    const groups = new Map<string, Group>();
    for (const each of this.params.wanted) {
      const { contributionId, keys } = each;
      try {
        requireEncryptedSecret(keys, this.access.approvals.packageId, contributionId);
        const servers = this.#knownServers(keys);
        const name = JSON.stringify([servers, keys.threshold]);
        const group = groups.get(name) ?? { servers, threshold: keys.threshold, wanted: [] };
        group.wanted.push(each);
        groups.set(name, group);
      } catch (error) {
        this.refusals.set(contributionId, toUsufructError(error));
      }
    }
    return [...groups.values()];
  }

  #knownServers({ keyServers, threshold }: SealedKeys): Hex32[] {
    const known = new Set(this.access.keyServers.map(({ objectId }) => objectId));
    const servers = keyServers.filter((server) => known.has(server)).sort();
    if (servers.length >= threshold) return servers;
    const details = { mode: 'seal', needed: String(threshold), known: String(servers.length) };
    throw refuse('KEY_MODE_UNAVAILABLE', { ...details, reason: 'too few of its key servers are configured here' });
  }

  /** Where the servers refuse all because of some, our own node says which, and the others are asked for once more. */
  async #some(client: SealClient, threshold: number, wanted: readonly SecretWanted[]): Promise<void> {
    const refusal = await this.#fetchAndOpen(client, threshold, wanted);
    if (refusal === null) return;
    const others = refusal.code === 'KEY_SERVERS_REFUSED' ? await this.#withoutRefused(wanted) : wanted;
    const again =
      others.length > 0 && others.length < wanted.length
        ? await this.#fetchAndOpen(client, threshold, others)
        : refusal;
    if (again === null) return;
    for (const { contributionId } of others) this.refusals.set(contributionId, again);
  }

  async #fetchAndOpen(
    client: SealClient,
    threshold: number,
    wanted: readonly SecretWanted[],
  ): Promise<UsufructError | null> {
    try {
      const txBytes = await this.access.approvals.transactionOf(this.#request(wanted));
      const sessionKey = await this.#certificate();
      const ids = wanted.map(({ contributionId }) => identityOf(contributionId));
      await client.fetchKeys({ ids, txBytes, sessionKey, threshold });
      for (const each of wanted) await this.#open(client, sessionKey, txBytes, each);
      return null;
    } catch (error) {
      return keyServerRefusal(error, threshold);
    }
  }

  async #withoutRefused(wanted: readonly SecretWanted[]): Promise<SecretWanted[]> {
    const others: SecretWanted[] = [];
    for (const each of wanted) {
      const refusal = await this.access.approvals.refusalOf(this.#request([each])).catch(toUsufructError);
      if (refusal === null) others.push(each);
      else this.refusals.set(each.contributionId, refusal);
    }
    return others;
  }

  /** With the keys that the client has by now; it asks for no others. */
  async #open(client: SealClient, sessionKey: SessionKey, txBytes: Uint8Array, each: SecretWanted): Promise<void> {
    const { contributionId, keys } = each;
    try {
      const secret = await client.decrypt({ data: keys.encryptedSecret, sessionKey, txBytes });
      if (secret.length !== SECRET_BYTES) throw new Error('not a secret');
      this.secrets.set(contributionId, secret);
    } catch (error) {
      const details = { field: 'encryptedSecret', check: 'it does not open' };
      this.refusals.set(contributionId, refuse('MANIFEST_INVALID', details, error));
    }
  }

  #certificate(): Promise<SessionKey> {
    const { packageId, client: suiClient } = this.access.approvals;
    const address = this.#keypair.toSuiAddress();
    return SessionKey.create({ address, packageId, ttlMin: CERTIFICATE_MIN, signer: this.#keypair, suiClient });
  }

  #request(wanted: readonly SecretWanted[]): SealRequest {
    const { jobId, runnerId } = this.params;
    const uses = wanted.map(({ contributionId, grantId }) => ({ contributionId, grantId }));
    return { jobId, runnerId, sender: asId<Address>(this.#keypair.toSuiAddress(), 'sender'), uses };
  }
}
