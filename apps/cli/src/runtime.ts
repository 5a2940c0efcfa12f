import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  keypairSigner,
  LOCAL_NETWORK,
  openChain,
  suiOptionsFrom,
  type Chain,
  type WalletSigner,
} from '@usufruct/chain';
import { asId, refuse, systemClock, systemRandom, type Clock, type Hex32, type RandomSource } from '@usufruct/kernel';
import type { ChainInfo } from '@usufruct/protocol';
import { connect, type Journal, type SecretSealer, type UsufructClient } from '@usufruct/sdk';
import { suiEventFile } from '@usufruct/service';
import { openCustody } from './custody.js';
import { readEndpoints, type Endpoints } from './endpoints.js';
import { fileJournal } from './journal-file.js';
import { custodyWanted, openStore } from './store.js';
import { Terminal, type Streams } from './terminal.js';
import { openWalletFile } from './wallet-file.js';

const KEY_SERVER_TIMEOUT_MS = 15_000;

export interface GlobalOptions {
  readonly json?: boolean;
  readonly endpoints?: string;
  readonly home?: string;
  readonly wallet?: string;
}
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly streams: Streams;
}

/** What one command works with; opened as far as it is used. */
export class Runtime {
  readonly clock: Clock = systemClock;
  readonly random: RandomSource = systemRandom;
  readonly terminal: Terminal;
  private readonly options: GlobalOptions;
  private openJournal: (Journal & { close(): void }) | null = null;
  private openClient: UsufructClient | null = null;

  constructor(
    private readonly surroundings: Surroundings,
    options: GlobalOptions,
  ) {
    this.options = options;
    this.terminal = new Terminal(surroundings.streams, options.json === true);
  }

  endpoints(): Endpoints {
    const { environment } = this.surroundings;
    return readEndpoints({
      environment,
      ...(this.options.endpoints !== undefined && { file: this.options.endpoints }),
    });
  }

  get walletPath(): string {
    const named = this.options.wallet ?? this.surroundings.environment['USUFRUCT_WALLET'];
    return named ?? join(this.home, 'wallet.json');
  }

  /** What the vendors say of their hardware, as this user has fetched it. */
  get endorsementsPath(): string {
    return join(this.home, 'endorsements');
  }

  /** A key that is no stand-in: from the environment, never from a file of ours. */
  get walletSecret(): string | undefined {
    return this.surroundings.environment['USUFRUCT_WALLET_SECRET'] || undefined;
  }

  signer(): WalletSigner {
    if (this.walletSecret !== undefined) return keypairSigner(this.walletSecret);
    return openWalletFile(this.walletPath, this.endpoints().suiNetwork);
  }

  chain(): Chain {
    const { suiNetwork, chainUrl } = this.endpoints();
    const suiEvents = suiEventFile(join(this.home, 'sui-events.sqlite'));
    return openChain({ suiNetwork, chainUrl, sui: suiOptionsFrom(this.surroundings.environment), suiEvents });
  }

  async coin(): Promise<ChainInfo['coin']> {
    return (await this.chain().info()).coin;
  }

  client(): UsufructClient {
    this.openClient ??= this.clientOf(this.signer());
    return this.openClient;
  }

  /** Whether what is contributed goes into custody, by the environment. */
  get custodyWanted(): boolean {
    return custodyWanted(this.surroundings.environment);
  }

  /** A client that acts with another key than the wallet's. */
  clientOf(signer: WalletSigner): UsufructClient {
    const endpoints = this.endpoints();
    const { apiUrl, holderUrls, teeDevRoot } = endpoints;
    const { environment } = this.surroundings;
    const journal = this.journal();
    const chain = this.chain();
    const custody = openCustody({ endpoints, environment, signer, chain });
    return connect({
      apiUrl,
      chain,
      ...openStore({ endpoints, environment, signer, journal }),
      holders: holderUrls.map((url) => ({ url })),
      signer,
      journal,
      ...(teeDevRoot !== undefined && { teeDevRoot }),
      ...(custody !== undefined && { custody }),
      ...this.sealing(),
    });
  }

  /**
   * For the weaker key mode, where key servers are named and the network is one that they look at. Loaded when it is
   * used: pairings take longer to load than most commands take.
   */
  private sealing(): { readonly secretSealer?: SecretSealer } {
    const { environment } = this.surroundings;
    if (!environment['SEAL_KEY_SERVERS'] || this.endpoints().suiNetwork === LOCAL_NETWORK) return {};
    const seal: SecretSealer['seal'] = async (contributionId, secret) => {
      const { sealApprovalsOf, sealSettings, secretSealer } = await import('@usufruct/seal');
      const settings = sealSettings(environment);
      if (settings === null) throw refuse('KEY_MODE_UNAVAILABLE', { mode: 'seal' });
      const { keyServers, threshold } = settings;
      const fetch: typeof globalThis.fetch = (...request) => globalThis.fetch(...request);
      const access = { approvals: sealApprovalsOf(this.chain()), keyServers, fetch, timeoutMs: KEY_SERVER_TIMEOUT_MS };
      return secretSealer(access, threshold).seal(contributionId, secret);
    };
    return { secretSealer: { seal } };
  }

  close(): void {
    this.openJournal?.close();
  }

  /** Wallet, journal and keys of this user. */
  get home(): string {
    const { environment, homeDirectory } = this.surroundings;
    return this.options.home ?? environment['USUFRUCT_CLI_HOME'] ?? join(homeDirectory, '.usufruct');
  }

  /** One per home: what belongs to which wallet is in the keys and records. */
  private journal(): Journal {
    mkdirSync(this.home, { recursive: true, mode: 0o700 });
    this.openJournal ??= fileJournal(join(this.home, 'journal.sqlite'));
    return this.openJournal;
  }
}

/** An id as the user typed it; upper-case digits are accepted. Refuses `INVALID_ARGUMENT` with the argument's name. */
export const idArgument = <T extends Hex32>(text: string, field: string): T => asId<T>(text.toLowerCase(), field);
