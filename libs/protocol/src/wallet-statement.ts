import { utf8, type Digest, type Hex32 } from '@usufruct/kernel';

/**
 * The text that a wallet shows and signs (as a Sui personal message). It says in words what is signed and pins the
 * exact bytes by their digest, so that a wallet needs to know nothing about our formats and the user is not asked to
 * sign binary noise.
 */
export interface WalletStatement {
  /** What the user does, in the imperative: `Publish a contribution`. One line. */
  readonly action: string;
  readonly chainId: string;
  readonly digest: Digest | Hex32;
}

export const walletStatementText = ({ action, chainId, digest }: WalletStatement): string =>
  `Usufruct\n${action}\nChain: ${chainId}\nDigest: ${digest}`;
export const walletStatementBytes = (statement: WalletStatement): Uint8Array => utf8(walletStatementText(statement));

/** The actions that wallets are asked to sign, in one place so that signer and verifier agree. */
export const WALLET_ACTIONS = {
  manifest: 'Publish an encrypted contribution',
  transaction: 'Execute a transaction on the local chain',
  logQuery: 'Read the key releases of my contribution',
  consentReceipt: 'Issue a receipt of my consent',
  payoutQuery: 'Read my private payouts',
  erasureReceipt: 'Confirm what was done to erase my contribution',
} as const;

/** EIP-4361 style sign-in text: the domain, the address, a nonce that is used once, and an expiry. */
export interface SignInMessage {
  readonly domain: string;
  readonly address: Hex32;
  readonly nonce: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly chainId: string;
}
export const signInText = (m: SignInMessage): string =>
  `${m.domain} wants you to sign in with your Sui account:\n${m.address}\n\n` +
  `Chain: ${m.chainId}\nNonce: ${m.nonce}\nIssued At: ${m.issuedAt}\nExpires At: ${m.expiresAt}`;
