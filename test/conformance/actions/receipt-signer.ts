import { fromBase64, toHex } from '@usufruct/kernel';
import {
  PROTECTION_KINDS,
  SIGNER_KINDS,
  type JobView,
  type ProtectionKind,
  type RunnerView,
  type SignerKind,
  type SignerView,
} from '@usufruct/protocol';
import type { Needs, Play } from '../play/actor.js';
import { RUNNER_KEYS, SIGNER_KEY_PAIRS, wordBytes, type KeyPair } from '../play/cast.js';
import { withdrawnKeyOf } from './runner.js';
import { nameOf, signersOf } from './signers.js';
import { effects } from './voting.js';

/** Ways to sign for a job of this protection with other keys than both sides want. */
const SIGNING_TWISTS: Readonly<Record<string, ProtectionKind>> = {
  'unknown runner': 'tee',
  'runner expired': 'tee',
  'runner withdrawn': 'tee',
  measurement: 'tee',
  profile: 'tee',
  'a party missing': 'mpc',
  'a party for another': 'mpc',
  'a stranger for a party': 'mpc',
  'parties in another order': 'mpc',
  'one party more': 'mpc',
  'unknown set': 'mpc',
  'withdrawn set': 'mpc',
  'set named short': 'mpc',
  'a host for a set': 'mpc',
  'a runner for a set': 'mpc',
  'a stranger for a host': 'fhe',
  'unknown host': 'fhe',
  'withdrawn host': 'fhe',
  'a set for a host': 'fhe',
};
/** And as they want it. */
const SIGNING_WAYS: Readonly<Record<string, ProtectionKind>> = { 'by a set': 'mpc', 'by a host': 'fhe' };

/** All but those that only one of the modes of payout can have. */
export const SIGNER_TWISTS = Object.keys(SIGNING_TWISTS).filter((twist) => twist !== 'runner withdrawn');
export const SIGNER_WAYS = Object.keys(SIGNING_WAYS);

export const SIGNER_MEETS: Readonly<Record<string, string>> = {
  'runner expired': 'RUNNER_NOT_REGISTERED expired',
  'runner withdrawn': 'RUNNER_NOT_REGISTERED withdrawn',
  'withdrawn set': 'RUNNER_NOT_REGISTERED withdrawn',
  'withdrawn host': 'RUNNER_NOT_REGISTERED withdrawn',
  'a party missing': 'RECEIPT_INVALID signature',
  'a party for another': 'RECEIPT_INVALID signature',
  'a stranger for a party': 'RECEIPT_INVALID signature',
  'parties in another order': 'RECEIPT_INVALID signature',
  'one party more': 'RECEIPT_INVALID signature',
  'a stranger for a host': 'RECEIPT_INVALID signature',
};

/** The protection of the job that the twist or way is about; null where it is about none. */
const protectionFor = (twist: string | null): ProtectionKind | null =>
  SIGNING_TWISTS[twist ?? ''] ?? SIGNING_WAYS[twist ?? ''] ?? null;

/** A DAO that offers the protection and has voted for a signer, or has withdrawn it again. */
export function signingNeeds(twist: string | null): Needs {
  const protection = protectionFor(twist);
  if (protection === null || protection === 'tee') return {};
  const withdrawn = twist?.startsWith('withdrawn') === true ? (['withdrawSigner'] as const) : [];
  return { protection, effects: effects('registerSigner', ...withdrawn) };
}

/** The job is one that somebody can sign for, of the protection that the twist is about. */
export function hasSigner(play: Play, job: JobView, twist: string | null): boolean {
  const wanted = protectionFor(twist);
  if (wanted !== null && job.protection !== wanted) return false;
  return job.protection === 'tee' || chosenSigners(play, job, twist).length > 0;
}

/** Who signs a receipt, as the receipt says it, and the keys by which it is signed, in their order. */
export interface ReceiptSigner {
  readonly signerKind: SignerKind;
  readonly signerPublicKey: Uint8Array;
  readonly secretKeys: readonly Uint8Array[];
}

const STRANGERS_KEY = wordBytes('nobody');

/** Null where there is nobody as the twist wants it. */
export function signerOf(play: Play, job: JobView, issuedAtMs: number, twist: string | null): ReceiptSigner | null {
  if (job.protection === 'tee') return byRunner(play, job, issuedAtMs, twist);
  const signers = chosenSigners(play, job, twist);
  if (signers.length === 0) return null;
  return bySigner(play.random.pick(signers), twist);
}

const chosenSigners = (play: Play, { daoId, protection }: JobView, twist: string | null): SignerView[] =>
  signersOf(play, daoId).filter(
    ({ signerKind, withdrawnAtMs }) =>
      SIGNER_KINDS.indexOf(signerKind) === PROTECTION_KINDS.indexOf(protection) &&
      (withdrawnAtMs !== null) === (twist?.startsWith('withdrawn') === true),
  );

function bySigner(signer: SignerView, twist: string | null): ReceiptSigner {
  const { signerKind, publicKeys } = signer;
  const secretKeys = publicKeys.map((key) => keyPairOf(SIGNER_KEY_PAIRS, key).secretKey);
  const signerPublicKey = nameOf(signer);
  const [first, second] = secretKeys;
  const changes: Readonly<Record<string, Partial<ReceiptSigner>>> = {
    'a party missing': { secretKeys: secretKeys.slice(0, -1) },
    'a party for another': { secretKeys: [...secretKeys.slice(0, -1), second!] },
    'a stranger for a party': { secretKeys: [...secretKeys.slice(0, -1), STRANGERS_KEY] },
    'parties in another order': { secretKeys: secretKeys.toReversed() },
    'one party more': { secretKeys: [...secretKeys, first!] },
    'unknown set': { signerPublicKey: wordBytes('unknown set') },
    'set named short': { signerPublicKey: signerPublicKey.slice(1) },
    // A set has its id, a host its key: neither names the other.
    'a host for a set': { signerPublicKey: fromBase64(publicKeys[0]!), secretKeys: secretKeys.slice(0, 1) },
    'a runner for a set': { signerKind: 'tee', ...runnerKey(0) },
    'a stranger for a host': { secretKeys: [STRANGERS_KEY] },
    'unknown host': { ...runnerKey(0) },
    'a set for a host': { signerKind: 'mpc-set' },
    signature: { secretKeys: secretKeys.map(() => STRANGERS_KEY) },
    'signer kind': { signerKind: signerKind === 'mpc-set' ? 'fhe-host' : 'tee' },
  };
  return { signerKind, signerPublicKey, secretKeys, ...changes[twist ?? ''] };
}

function byRunner(play: Play, job: JobView, issuedAtMs: number, twist: string | null): ReceiptSigner | null {
  const key =
    twist === 'runner withdrawn' ? withdrawnKeyOf(play.ledger, job.daoId) : runnerFor(play, job, issuedAtMs, twist);
  if (key === null) return null;
  const signer = { signerKind: 'tee' as const, signerPublicKey: key.publicKey, secretKeys: [key.secretKey] };
  const changes: Readonly<Record<string, Partial<ReceiptSigner>>> = {
    'signer kind': { signerKind: 'mpc-set' },
    'unknown runner': { signerPublicKey: wordBytes('unknown runner') },
    signature: { secretKeys: [STRANGERS_KEY] },
  };
  return { ...signer, ...changes[twist ?? ''] };
}

/** Registered, and mostly as the policy wants it at that time. */
function runnerFor({ ledger, random }: Play, job: JobView, issuedAtMs: number, twist: string | null): KeyPair | null {
  const { appraisal } = ledger.read('dao', job.daoId)!.policy;
  const isChosen = ({ daoId, expiresAtMs, measurement, profile }: RunnerView): boolean => {
    const [measured, profiled] = [
      appraisal.measurements.includes(measurement),
      appraisal.profiles.some((one) => one === profile),
    ];
    const asWanted = twist === 'measurement' ? !measured : measured && profiled === (twist !== 'profile');
    return daoId === job.daoId && asWanted && expiresAtMs > issuedAtMs !== (twist === 'runner expired');
  };
  const runner = random.mostly(ledger.all('runner'), isChosen, twist === null ? 0.95 : 1);
  return runner && keyPairOf(RUNNER_KEYS, runner.signingPublicKey);
}

const runnerKey = (i: number): Pick<ReceiptSigner, 'signerPublicKey' | 'secretKeys'> => {
  const { publicKey, secretKey } = RUNNER_KEYS[i]!;
  return { signerPublicKey: publicKey, secretKeys: [secretKey] };
};

/** The cast has everybody's keys. */
function keyPairOf(pairs: readonly KeyPair[], publicKey: string): KeyPair {
  const known = pairs.find((pair) => toHex(pair.publicKey) === toHex(fromBase64(publicKey)));
  if (known === undefined) throw new RangeError('a signer whose key nobody has');
  return known;
}
