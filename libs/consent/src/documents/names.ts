import type { ChainInfo, ComputationKind, ProtectionKind } from '@usufruct/protocol';
import type { JsonObject } from './json.js';

/** Prefixes of the vocabularies that the documents use. They are names: nothing is ever fetched from them. */
export const PREFIXES = {
  dct: 'http://purl.org/dc/terms/',
  dpv: 'https://w3id.org/dpv#',
  duo: 'http://purl.obolibrary.org/obo/DUO_',
  odrl: 'http://www.w3.org/ns/odrl/2/',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  usufruct: 'urn:usufruct:terms:',
} as const;

/** Left operands and actions that ODRL does not have, as ODRL asks a profile to name them. */
export const ODRL_PROFILE = 'urn:usufruct:odrl-profile:v1';

/** Names an object of the chain, or what a digest on it commits to. */
export const urn = (chain: Pick<ChainInfo, 'chainId'>, kind: string, id: string): string =>
  `urn:usufruct:${encodeURIComponent(chain.chainId)}:${kind}:${id}`;

export const ref = (id: string): JsonObject => ({ '@id': id });
export const isoTime = (atMs: number): string => new Date(atMs).toISOString();

/** The processing that each kind of computation is, by DPV 2.0. */
export const DPV_PROCESSING: Readonly<Record<ComputationKind, readonly string[]>> = {
  rag: ['dpv:Query', 'dpv:Retrieve'],
  train: ['dpv:Analyse', 'dpv:Infer'],
  stats: ['dpv:Analyse', 'dpv:Aggregate'],
};
/** The technical measure that each protection is, by DPV 2.0. */
export const DPV_MEASURES: Readonly<Record<ProtectionKind, string>> = {
  tee: 'dpv:TrustedExecutionEnvironment',
  mpc: 'dpv:SecureMultiPartyComputation',
  fhe: 'dpv:HomomorphicEncryption',
};
