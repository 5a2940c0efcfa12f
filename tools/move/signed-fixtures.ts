import { Ed25519PublicKey } from '@mysten/sui/keypairs/ed25519';
import { blake2b } from '@noble/hashes/blake2.js';
import { PURPOSES, purposesCover } from '@usufruct/consent';
import { sign, signingPublicKey } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  asWeight,
  concatBytes,
  fromHex,
  toHex,
  toHex32,
  utf8,
  type Address,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type LicenceId,
  type ProposalId,
  type QuestionId,
} from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  daoPolicyDigest,
  deriveId,
  HolderRotationBcs,
  receiptDigest,
  runnerIdOf,
  RunnerStatementBcs,
  taggedDigest,
  TAGS,
  TreeHeadBcs,
  UsageReceiptBcs,
  usesCommitment,
  type DaoPolicy,
  type HolderRotation,
  type RunnerStatement,
  type Tag,
  type UsageReceipt,
  type Use,
} from '@usufruct/protocol';

/**
 * The ids, digests, signed messages and answers about purposes of the Move tests, made by the libraries that the rest
 * of the system uses. The contracts compute, decide and verify all of them on their own, so the tests show that both
 * sides agree on every byte. The names and numbers here are those of `move/usufruct/tests/world.move`.
 */
export const NOW_MS = 1_800_000_000_000;
export const MINUTE_MS = 60_000;
/** How long private receipts wait before they can be written off. */
export const MONTH_MS = 30 * 24 * 60 * MINUTE_MS;
export const CHAIN_ID = 'usufruct-move-tests';
export const PACKAGE_ID = address('0');
/** The id of the first object of the scenario's second transaction: BLAKE2b-256(0xf1 ‖ transaction ‖ counter). */
export const REGISTRY_ID = toHex32<Hex32>(
  blake2b(concatBytes(Uint8Array.of(0xf1, 1), new Uint8Array(31), new Uint8Array(8)), { dkLen: 32 }),
);
export const FOUNDER = address('f0');
const REQUESTER = address('e0');
export const OWNERS = [address('a1'), address('a2'), address('a3')];
const MEASUREMENT = 'ab'.repeat(48);
export const PRICE = asAmount(1_000_001n);

/** Left-padded, as Move writes short addresses. */
export function address(hex: string): Address {
  return toHex32<Hex32>(fromHex(hex.padStart(64, '0'))) as string as Address;
}
export const word = (name: string): Hex32 => taggedDigest(TAGS.objectId, utf8(name));
export const secretOf = (name: string): Uint8Array => fromHex(word(name));

export const SALT = address('5a') as Hex32;
export const holders = [0, 1, 2].map((i) => secretOf(`holder ${i}`));
/** Joins the set by a rotation. */
export const newcomer = secretOf('holder 3');
export const runner = secretOf('runner');
export const impostor = secretOf('impostor');

const holderSetId = deriveId<HolderSetId>('holder-set', null, FOUNDER, SALT);
export const daoId = deriveId<DaoId>('dao', null, FOUNDER, SALT);
const datasetId = deriveId<DatasetId>('dataset', daoId, FOUNDER, SALT);
const contributionIds = OWNERS.map((owner) => deriveId<ContributionId>('contribution', datasetId, owner, SALT));
const grantIds = OWNERS.map((owner, i) => deriveId<GrantId>('grant', contributionIds[i]!, owner, SALT));
const jobId = deriveId<JobId>('job', datasetId, REQUESTER, SALT);
/** An offer has the id of the proposal that made it: the founder's, with another salt. */
const offerId = deriveId<ProposalId>('proposal', daoId, FOUNDER, address('5b') as Hex32) as string as LicenceId;

const policy: DaoPolicy = {
  pricePerQuestionUnits: PRICE,
  purposes: ['DUO:0000042', 'dpv:ResearchAndDevelopment'],
  kinds: ['rag', 'stats'],
  protections: ['tee', 'mpc'],
  split: { contributorsBps: 7000, treasuryBps: 2000, runnerBps: 800, protocolBps: 200 },
  holderSetId,
  appraisal: { version: 1, profiles: ['tdx'], measurements: [MEASUREMENT], resultTermMs: 700 * MINUTE_MS },
  verifierThreshold: 2,
  maxJobTermMs: 30 * MINUTE_MS,
  onRevocation: 'cancel',
  blobs: 'deletable',
  selfQueriesPay: false,
};

export const SPLIT = policy.split;

const statement = (changes: Partial<RunnerStatement> = {}): Uint8Array =>
  RunnerStatementBcs.serialize({
    chainId: CHAIN_ID,
    daoId,
    profile: 'tdx',
    measurement: MEASUREMENT,
    signingPublicKey: signingPublicKey(runner),
    hpkePublicKey: secretOf('hpke'),
    appraisalPolicyDigest: appraisalPolicyDigest(policy.appraisal),
    payTo: address('b0'),
    issuedAtMs: asTimestampMs(NOW_MS),
    expiresAtMs: asTimestampMs(NOW_MS + 600 * MINUTE_MS),
    ...changes,
  }).toBytes();

/** A statement or receipt of so many bytes, by a long text in one of its fields; 2,048 is the limit. */
export const padded = (sizeBytes: number, make: (text: string) => Uint8Array): Uint8Array => {
  // A text of 128 bytes or more has a length of two bytes; an empty one of one byte.
  const textBytes = sizeBytes - make('').length - 1;
  return make('x'.repeat(textBytes));
};

const STATEMENTS: Readonly<Record<string, Uint8Array>> = {
  good: statement(),
  prolonged: statement({ expiresAtMs: asTimestampMs(NOW_MS + 700 * MINUTE_MS) }),
  month_later: statement({
    issuedAtMs: asTimestampMs(NOW_MS + MONTH_MS),
    expiresAtMs: asTimestampMs(NOW_MS + MONTH_MS + 600 * MINUTE_MS),
  }),
  short: statement({ expiresAtMs: asTimestampMs(NOW_MS + 5 * MINUTE_MS) }),
  other_chain: statement({ chainId: 'another' }),
  other_dao: statement({ daoId: word('another') as DaoId }),
  other_policy: statement({ appraisalPolicyDigest: word('another') as Digest }),
  other_measurement: statement({ measurement: 'cd'.repeat(48) }),
  other_profile: statement({ profile: 'snp' }),
  longest: padded(2_048, (profile) => statement({ profile })),
  longer: padded(2_049, (profile) => statement({ profile })),
  skewed: statement({ issuedAtMs: asTimestampMs(NOW_MS + MINUTE_MS) }),
  other_payee: statement({ payTo: address('b1') }),
  a_day: statement({ expiresAtMs: asTimestampMs(NOW_MS + 24 * 60 * MINUTE_MS) }),
  zero_key: statement({ signingPublicKey: new Uint8Array(32) }),
  future: statement({ issuedAtMs: asTimestampMs(NOW_MS + MINUTE_MS + 1) }),
  expired: statement({ issuedAtMs: asTimestampMs(NOW_MS - 1), expiresAtMs: asTimestampMs(NOW_MS) }),
  too_long: statement({ expiresAtMs: asTimestampMs(NOW_MS + 700 * MINUTE_MS + 1) }),
};

/** Uses by contributor; null leaves the contributor out. */
const usesOf = (...weights: readonly (bigint | null)[]): Use[] =>
  weights
    .flatMap((weight, i) =>
      weight === null ? [] : [{ contributionId: contributionIds[i]!, grantId: grantIds[i]!, weight: asWeight(weight) }],
    )
    .sort((a, b) => (a.contributionId < b.contributionId ? -1 : 1));

const ALL = usesOf(1n, 1n, 1n);
const USES: Readonly<Record<string, readonly Use[]>> = {
  all: ALL,
  some: usesOf(3n, null, 1n),
  none: [],
  descending: ALL.toReversed(),
  weightless: usesOf(0n, 0n, null),
  stranger: [{ contributionId: word('stranger') as ContributionId, grantId: grantIds[0]!, weight: asWeight(1n) }],
  other_grant: [{ contributionId: contributionIds[0]!, grantId: grantIds[1]!, weight: asWeight(1n) }],
  no_grant: [{ contributionId: contributionIds[0]!, grantId: word('stranger') as GrantId, weight: asWeight(1n) }],
  many: Array.from({ length: 65 }, () => ALL[0]!),
  most: Array.from({ length: 64 }, () => ALL[0]!),
};

export const receipt = (uses: string, changes: Partial<UsageReceipt> = {}): { uses: string; bytes: Uint8Array } => ({
  uses,
  bytes: UsageReceiptBcs.serialize({
    chainId: CHAIN_ID,
    packageId: PACKAGE_ID,
    registryId: REGISTRY_ID,
    jobId,
    questionId: word('question 1') as QuestionId,
    signerKind: 'tee',
    signerPublicKey: signingPublicKey(runner),
    evidenceDigest: word('evidence') as Digest,
    codeHash: word('code') as Digest,
    modelHash: word('model') as Digest,
    attributionMethod: 'cited-bm25/v1',
    usesCommitment: usesCommitment(SALT, USES[uses]!),
    resultCommitment: word('result') as Digest,
    budgetSpentMicroEpsilon: 0n,
    priceUnits: USES[uses]!.length === 0 ? asAmount(0n) : PRICE,
    issuedAtMs: asTimestampMs(NOW_MS + MINUTE_MS),
    ...changes,
  }).toBytes(),
});
export const question = (n: number) => ({ questionId: word(`question ${n}`) as QuestionId });

export const RECEIPTS: Readonly<Record<string, { uses: string; bytes: Uint8Array }>> = {
  first: receipt('all'),
  second: receipt('some', question(2)),
  third: receipt('none', question(3)),
  other_chain: receipt('all', { chainId: 'another' }),
  other_package: receipt('all', { packageId: word('another') }),
  other_registry: receipt('all', { registryId: word('another') }),
  other_job: receipt('all', { jobId: word('another') as JobId }),
  before_job: receipt('all', { issuedAtMs: asTimestampMs(NOW_MS - MINUTE_MS - 1) }),
  future: receipt('all', { issuedAtMs: asTimestampMs(NOW_MS + 2 * MINUTE_MS + 1) }),
  after_term: receipt('all', { issuedAtMs: asTimestampMs(NOW_MS + 10 * MINUTE_MS) }),
  last_moment: receipt('all', { issuedAtMs: asTimestampMs(NOW_MS + 10 * MINUTE_MS - 1) }),
  mpc: receipt('all', { signerKind: 'mpc-set' }),
  impostor: receipt('all', { signerPublicKey: signingPublicKey(impostor) }),
  descending: receipt('descending'),
  weightless: receipt('weightless'),
  stranger: receipt('stranger'),
  other_grant: receipt('other_grant'),
  no_grant: receipt('no_grant'),
  many: receipt('many'),
  most: receipt('most'),
  longest: { uses: 'all', bytes: padded(2_048, (attributionMethod) => receipt('all', { attributionMethod }).bytes) },
  longer: { uses: 'all', bytes: padded(2_049, (attributionMethod) => receipt('all', { attributionMethod }).bytes) },
  skewed: receipt('all', { issuedAtMs: asTimestampMs(NOW_MS - MINUTE_MS) }),
  cheap: receipt('all', { priceUnits: asAmount(1_000_000n) }),
  charged_for_nothing: receipt('none', { priceUnits: PRICE }),
  budget: receipt('all', { budgetSpentMicroEpsilon: 600n }),
  budget_rest: receipt('all', { budgetSpentMicroEpsilon: 400n, ...question(2) }),
  budget_again: receipt('all', { budgetSpentMicroEpsilon: 401n, ...question(2) }),
};

const treeHead = (treeSize: number, root: string, changes: { member?: number; atMs?: number } = {}): Uint8Array =>
  TreeHeadBcs.serialize({
    holderSetId,
    member: changes.member ?? 0,
    treeSize,
    rootHash: word(root) as Digest,
    atMs: asTimestampMs(changes.atMs ?? NOW_MS),
  }).toBytes();
const TREE_HEADS: Readonly<Record<string, Uint8Array>> = {
  five: treeHead(5, 'five'),
  nine: treeHead(9, 'nine'),
  forked: treeHead(5, 'forked'),
  skewed: treeHead(5, 'five', { atMs: NOW_MS + MINUTE_MS }),
  future: treeHead(5, 'five', { atMs: NOW_MS + MINUTE_MS + 1 }),
  other_member: treeHead(5, 'five', { member: 1 }),
  nine_in_new_place: treeHead(9, 'nine', { member: 1 }),
};

const member = (secretKey: Uint8Array, operator: string, sealing: number) => ({
  operator: address(operator),
  signingPublicKey: signingPublicKey(secretKey),
  sealingPublicKey: new Uint8Array(32).fill(sealing),
});
/** The second holder leaves, the others change places, one joins. */
const ROTATED = [member(holders[2]!, '1c', 3), member(holders[0]!, '1a', 1), member(newcomer, '1d', 4)];
const rotation = (changes: Partial<HolderRotation> = {}): Uint8Array =>
  HolderRotationBcs.serialize({
    chainId: CHAIN_ID,
    holderSetId,
    version: 2,
    members: ROTATED,
    threshold: 2,
    ...changes,
  }).toBytes();
const ROTATIONS: Readonly<Record<string, Uint8Array>> = {
  good: rotation(),
  next: rotation({ version: 3, threshold: 3 }),
  back: rotation({ version: 3, members: [...ROTATED, member(holders[1]!, '1b', 2)] }),
  other_chain: rotation({ chainId: 'another' }),
  other_set: rotation({ holderSetId: word('another') as HolderSetId }),
  same_version: rotation({ version: 1 }),
  no_threshold: rotation({ threshold: 0 }),
  high_threshold: rotation({ threshold: 4 }),
  one_key_twice: rotation({ members: [...ROTATED, member(newcomer, '1e', 5)] }),
  one_seal_twice: rotation({ members: [...ROTATED, member(holders[1]!, '1e', 4)] }),
  zero_key: rotation({ members: [{ ...ROTATED[0]!, signingPublicKey: new Uint8Array(32) }, ...ROTATED.slice(1)] }),
  zero_seal: rotation({ members: [...ROTATED, member(holders[1]!, '1b', 0)] }),
  nobody: rotation({ members: [], threshold: 0 }),
  longest: padded(4_096, (chainId) => rotation({ chainId })),
  longer: padded(4_097, (chainId) => rotation({ chainId })),
};

/** Codes that the consent library does not know by name: a DUO modifier, no DUO code at all, and two of DPV's form. */
const UNKNOWN_PURPOSES = ['DUO:0000045', 'DUO:9999999', 'dpv:NotInTheTable', 'dpv:AlsoNot'];
const PURPOSE_CODES: readonly string[] = [...PURPOSES.map(({ code }) => code), ...UNKNOWN_PURPOSES];
/** Granted beside another, to show that one of two is enough and that a restriction makes both useless. */
const PURPOSE_BESIDE = 'dpv:Marketing';

/** The text of `move/usufruct/tests/fixtures.move`. Ed25519 is deterministic, so it comes out the same every time. */
export async function fixturesModule(): Promise<string> {
  const parts = [
    ...ids(),
    ...(await Promise.all(Object.entries(STATEMENTS).map(([name, bytes]) => statementOf(name, bytes)))).flat(),
    ...(
      await Promise.all(Object.entries(RECEIPTS).map(([name, { bytes, uses }]) => receiptOf(name, bytes, USES[uses]!)))
    ).flat(),
    ...(await Promise.all(Object.entries(TREE_HEADS).map(([name, bytes]) => treeHeadOf(name, bytes)))).flat(),
    ...(await Promise.all(Object.entries(ROTATIONS).map(([name, bytes]) => rotationOf(name, bytes)))).flat(),
    ...purposes(),
  ];
  return `#[test_only]\n/// Made by \`npm run move:fixtures\` from the TypeScript libraries; do not edit.\nmodule usufruct::fixtures;\n\n${RECEIPT_STRUCT}\n${parts.join('\n')}`;
}

export const named = (name: string, type: string, value: string): string =>
  `public fun ${name}(): ${type} {\n    ${value}\n}\n`;
export const hex = (bytes: Uint8Array): string => `x"${toHex(bytes)}"`;
const text = (ascii: string): string => `b"${ascii}"`;
export const literal = (id: Hex32): string => `@${id}`;
export const list = (values: readonly string[]): string => `vector[${values.join(', ')}]`;
export const signed = async (secretKey: Uint8Array, domainTag: Tag, message: Uint8Array): Promise<string> =>
  hex(await sign({ secretKey, domainTag, message }));

function ids(): string[] {
  const treasury = taggedDigest(TAGS.objectId, utf8('treasury'), fromHex(daoId));
  const runnerKey = signingPublicKey(runner);
  const attested = new Ed25519PublicKey(runnerKey).toSuiAddress();
  return [
    named('registry_id', 'address', literal(REGISTRY_ID)),
    named('holder_set_id', 'address', literal(holderSetId)),
    named('dao_id', 'address', literal(daoId)),
    named('dataset_id', 'address', literal(datasetId)),
    named('contribution_ids', 'vector<address>', list(contributionIds.map(literal))),
    named('grant_ids', 'vector<address>', list(grantIds.map(literal))),
    named('job_id', 'address', literal(jobId)),
    named('offer_id', 'address', literal(offerId)),
    named('licence_id', 'address', literal(deriveId<LicenceId>('licence', offerId, REQUESTER, SALT))),
    named('treasury_account', 'address', literal(treasury)),
    named('policy_digest', 'address', literal(daoPolicyDigest(policy))),
    named('appraisal_digest', 'address', literal(appraisalPolicyDigest(policy.appraisal))),
    named('runner_id', 'address', literal(runnerIdOf<Hex32>(runnerKey))),
    named('attested_address', 'address', `@${attested}`),
    named('first_receipt_digest', 'address', literal(receiptDigest(RECEIPTS['first']!.bytes))),
    named('question_ids', 'vector<address>', list([1, 2, 3].map((n) => literal(question(n).questionId)))),
    named('holder_keys', 'vector<vector<u8>>', list(holders.map((secret) => hex(signingPublicKey(secret))))),
  ];
}

/** A row for each granted code, in it a 1 for each asked code that is covered and a 0 for each that is not. */
function purposes(): string[] {
  const row = (granted: readonly string[]): string =>
    text(PURPOSE_CODES.map((asked) => (purposesCover(granted, asked) ? '1' : '0')).join(''));
  return [
    named('purpose_codes', 'vector<vector<u8>>', list(PURPOSE_CODES.map(text))),
    named('purpose_beside', 'vector<u8>', text(PURPOSE_BESIDE)),
    named('purposes_covered', 'vector<vector<u8>>', list(PURPOSE_CODES.map((code) => row([code])))),
    named(
      'purposes_covered_beside',
      'vector<vector<u8>>',
      list(PURPOSE_CODES.map((code) => row([code, PURPOSE_BESIDE]))),
    ),
  ];
}

async function statementOf(name: string, bytes: Uint8Array): Promise<string[]> {
  const signatures = await Promise.all(holders.map((secret) => signed(secret, TAGS.runnerStatement, bytes)));
  return [
    named(`statement_${name}`, 'vector<u8>', hex(bytes)),
    named(`statement_${name}_signatures`, 'vector<vector<u8>>', list(signatures)),
  ];
}

/** Signed by the three holders and then by the newcomer. */
async function rotationOf(name: string, bytes: Uint8Array): Promise<string[]> {
  const signers = [...holders, newcomer];
  const signatures = await Promise.all(signers.map((secret) => signed(secret, TAGS.holderRotation, bytes)));
  return [
    named(`rotation_${name}`, 'vector<u8>', hex(bytes)),
    named(`rotation_${name}_signatures`, 'vector<vector<u8>>', list(signatures)),
  ];
}

const RECEIPT_STRUCT = `/// A receipt, its signature, and the uses that it commits to.
public struct Receipt has drop {
    bytes: vector<u8>,
    signature: vector<u8>,
    contribution_ids: vector<address>,
    grant_ids: vector<address>,
    weights: vector<u64>,
}

public fun unpack(
    receipt: Receipt,
): (vector<u8>, vector<u8>, vector<address>, vector<address>, vector<u64>) {
    let Receipt { bytes, signature, contribution_ids, grant_ids, weights } = receipt;
    (bytes, signature, contribution_ids, grant_ids, weights)
}
`;

async function receiptOf(name: string, bytes: Uint8Array, uses: readonly Use[]): Promise<string[]> {
  const signature = await signed(name === 'impostor' ? impostor : runner, TAGS.receipt, bytes);
  const fields = [
    `bytes: ${hex(bytes)}`,
    `signature: ${signature}`,
    `contribution_ids: ${list(uses.map((use) => literal(use.contributionId)))}`,
    `grant_ids: ${list(uses.map((use) => literal(use.grantId)))}`,
    `weights: ${list(uses.map((use) => String(use.weight)))}`,
  ];
  return [named(`receipt_${name}`, 'Receipt', `Receipt { ${fields.join(', ')} }`)];
}

const treeHeadOf = async (name: string, bytes: Uint8Array): Promise<string[]> => [
  named(`tree_head_${name}`, 'vector<u8>', hex(bytes)),
  named(`tree_head_${name}_signature`, 'vector<u8>', await signed(holders[0]!, TAGS.treeHead, bytes)),
];
