import { digestOf, verify } from '@usufruct/crypto';
import {
  checkThat,
  failed,
  fromBase64,
  fromHex,
  type Check,
  type Digest,
  type Hex32,
  type TimestampMs,
} from '@usufruct/kernel';
import { runnerIdOf, type ChainInfo, type JobView, type RunnerView } from '@usufruct/protocol';

/** What a receipt and a signed refusal both say of who signed them, and for which job on which chain. */
export interface SignedByRunner {
  readonly signerPublicKey: Uint8Array;
  readonly codeHash: Digest;
  readonly issuedAtMs: TimestampMs;
  readonly chainId: string;
  readonly packageId: Hex32;
  readonly registryId: Hex32;
  readonly jobId: Hex32;
}

/** `signed` and `signature` are base64. */
export async function checkSignature(
  { signerPublicKey }: SignedByRunner,
  { signed, signature, domainTag }: { readonly signed: string; readonly signature: string; readonly domainTag: string },
): Promise<Check> {
  const valid = await verify({
    publicKey: signerPublicKey,
    domainTag,
    message: fromBase64(signed),
    signature: fromBase64(signature),
  });
  return checkThat('SIGNATURE', valid, "the signer's key did not sign these bytes");
}

/** When it signed: a registration that has ended since takes nothing back. `what` is what names the code. */
export function checkRunner(
  what: 'receipt' | 'refusal',
  { signerPublicKey, codeHash, issuedAtMs }: SignedByRunner,
  { runner, job }: { readonly runner: RunnerView | null; readonly job: JobView },
): Check {
  const name = 'RUNNER_REGISTERED';
  if (runner === null) return failed(name, 'the chain has no registration for the signer');
  const isSame = runner.id === runnerIdOf(signerPublicKey) && runner.daoId === job.daoId;
  if (!isSame) return failed(name, 'the registration is for another key or another DAO');
  if (!isMeasurement(runner.measurement, codeHash)) return failed(name, `the ${what} names other code`);
  return checkThat(
    name,
    issuedAtMs < runner.expiresAtMs,
    'the registration had expired',
    `${runner.profile}, measurement ${runner.measurement.slice(0, 16)}…`,
  );
}

/** Code is named by the SHA-256 of the measurement, which is longer than a digest. */
function isMeasurement(measurement: string, codeHash: Digest): boolean {
  try {
    return digestOf(fromHex(measurement, 'measurement')) === codeHash;
  } catch {
    return false;
  }
}

export const checkIds = (
  signed: SignedByRunner,
  { chain, job }: { readonly chain: ChainInfo; readonly job: JobView },
): Check[] => [
  checkThat('CHAIN', signed.chainId === chain.chainId, 'for another chain'),
  checkThat('PACKAGE', signed.packageId === chain.packageId, 'for another package'),
  checkThat('REGISTRY', signed.registryId === chain.registryId, 'for another registry'),
  checkThat('JOB', signed.jobId === job.id, 'for another job'),
];
