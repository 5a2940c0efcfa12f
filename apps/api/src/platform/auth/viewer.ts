import type { Address } from '@usufruct/kernel';

export const API_SCOPES = ['read', 'describe', 'jobs', 'ask'] as const;
export type ApiScope = (typeof API_SCOPES)[number];

/** Who asks: a wallet that signed in, or a key that such a wallet made. */
export interface Viewer {
  readonly address: Address;
  /** Null for a wallet's session, which may do everything. */
  readonly scopes: readonly ApiScope[] | null;
  /** Set for a session, unset for a key. */
  readonly sessionId: string | null;
}
