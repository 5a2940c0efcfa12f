import { makeEvidence } from '@usufruct/attestation';
import { createDevPki, loadDevPki, SoftwareTee, type DevPki } from '@usufruct/attestation-dev';
import { generateKeyPair, generateSigningKey, sign, type HpkeKeyPair, type SigningKey } from '@usufruct/crypto';
import { fromBase64, toBase64, type Hex32 } from '@usufruct/kernel';
import {
  contributionListDigest,
  ReleaseRequestBcs,
  TAGS,
  type BoundKeys,
  type EvidenceBundle,
  type ReleaseRequest,
} from '@usufruct/protocol';
import { testChainInfo } from './fake-chain.js';
import { TEST_MEASUREMENT } from './builders.js';
import { seededRandom, TEST_NOW_MS } from './values.js';

/** A runner reduced to its keys and its software TEE. */
export interface TestRunner {
  readonly rootPem: string;
  readonly pki: DevPki;
  readonly hpke: HpkeKeyPair;
  readonly signing: SigningKey;
  /** Evidence over these challenges (base64); with other keys, to see them refused. */
  evidence(challenges: readonly string[], jobId: Hex32, keys?: Partial<BoundKeys>): Promise<EvidenceBundle>;
  /** A request for shares with its signature, as a runner sends it. */
  asks(request: Omit<ReleaseRequest, 'signature'>, chainId?: string): Promise<ReleaseRequest>;
}

/** With a PKI of its own unless one is given, so that two of them do not trust each other's evidence. */
export async function testRunner(name = 'runner', measurement = TEST_MEASUREMENT, given?: DevPki): Promise<TestRunner> {
  const pki = given ?? (await loadDevPki(await createDevPki(TEST_NOW_MS)));
  const device = await SoftwareTee.create({ pki, measurement });
  const random = seededRandom(`runner-${name}`);
  const hpke = await generateKeyPair(random);
  const signing = generateSigningKey(random);
  return {
    rootPem: pki.rootPem,
    pki,
    hpke,
    signing,
    evidence: (challenges, jobId, keys) =>
      makeEvidence(device, {
        challenges: challenges.map((challenge) => fromBase64(challenge)),
        jobId,
        keys: { hpkePublicKey: hpke.publicKey, signingPublicKey: signing.publicKey, ...keys },
      }),
    asks: async (request, chainId = testChainInfo().chainId) => {
      const { jobId, contributionIds } = request;
      const challenge = fromBase64(request.challenge);
      const asked = contributionListDigest(contributionIds);
      const message = ReleaseRequestBcs.serialize({ chainId, jobId, challenge, asked }).toBytes();
      const { secretKey } = signing;
      return {
        ...request,
        signature: toBase64(await sign({ secretKey, domainTag: TAGS.releaseRequest, message })),
      };
    },
  };
}
