import { leafHash, MerkleLog, sign, signingPublicKey } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  concatBytes,
  fromHex,
  toHex32,
  type Address,
  type AmountUnits,
  type DaoId,
  type Digest,
  type Hex32,
} from '@usufruct/kernel';
import { contributorsPartOf, EpochTree } from '@usufruct/ledger';
import {
  EMPTY_RECEIPT_CHAIN,
  epochAccountOf,
  epochIdOf,
  EpochStatementBcs,
  nextReceiptChain,
  OpeningAckBcs,
  receiptDigest,
  signerIdOf,
  TAGS,
  type EpochLeaf,
  type EpochStatement,
  type SignerKind,
  type Tag,
} from '@usufruct/protocol';
import {
  address,
  CHAIN_ID,
  daoId,
  hex,
  holders,
  impostor,
  list,
  literal,
  MINUTE_MS,
  MONTH_MS,
  named,
  newcomer,
  NOW_MS,
  OWNERS,
  PACKAGE_ID,
  padded,
  PRICE,
  receipt,
  RECEIPTS,
  REGISTRY_ID,
  runner,
  secretOf,
  signed,
  SPLIT,
  word,
} from './signed-fixtures.js';

/**
 * Signed messages and trees of the Move tests of private payout, like `signed-fixtures`. The first epoch is over the
 * receipts `first` and `second`, with a tree of 100,000 leaves of which a few come with their proofs.
 */
const PART = contributorsPartOf(PRICE, SPLIT);
const TOTAL = asAmount(2n * PART);
const LEAVES = 100_000;
/** A leaf that pays nothing: its units are the last leaf's. */
const EMPTY_LEAF = 77_777;
/** First, second, the edges of a word of the bitmap, one in the middle, the empty one, its neighbour and the last. */
const SHOWN = [0, 1, 255, 256, 65_535, EMPTY_LEAF, EMPTY_LEAF + 1, LEAVES - 1];

const leaf = (number: bigint, index: number, account: Address, amountUnits: AmountUnits): EpochLeaf => ({
  daoId,
  number,
  index,
  account,
  amountUnits,
  salt: word(`salt ${number} ${index}`),
});
const accountOf = (index: number): Address =>
  index === 0 ? OWNERS[0]! : address((0x1000000 + index).toString(16).padStart(8, '0'));

/** Equal parts, the rest to the first leaves. */
function manyLeaves(): EpochLeaf[] {
  const [part, rest] = [TOTAL / BigInt(LEAVES), TOTAL % BigInt(LEAVES)];
  const units = Array.from({ length: LEAVES }, (_, i) => part + (BigInt(i) < rest ? 1n : 0n));
  units[LEAVES - 1]! += units[EMPTY_LEAF]!;
  units[EMPTY_LEAF] = 0n;
  return units.map((amount, i) => leaf(1n, i, accountOf(i), asAmount(amount)));
}
const MANY = manyLeaves();
const TREE = new EpochTree(MANY);
/** A settler's and its holders' mistake or fraud: one leaf of more than all there is. */
const GREEDY = [leaf(1n, 0, OWNERS[0]!, asAmount(TOTAL + 1n))];
const GREEDY_TREE = new EpochTree(GREEDY);
const SINGLE = [leaf(1n, 0, OWNERS[0]!, TOTAL)];
const SINGLE_TREE = new EpochTree(SINGLE);

const chainOver = (...names: string[]): Digest =>
  names.reduce<Digest>(
    (chain, name) => nextReceiptChain(chain, receiptDigest(RECEIPTS[name]!.bytes)),
    EMPTY_RECEIPT_CHAIN,
  );

const statement = (changes: Partial<EpochStatement> = {}): Uint8Array =>
  EpochStatementBcs.serialize({
    chainId: CHAIN_ID,
    packageId: PACKAGE_ID,
    registryId: REGISTRY_ID,
    daoId,
    number: 1n,
    attempt: 1,
    fromReceipt: 1n,
    toReceipt: 2n,
    receiptChain: chainOver('first', 'second'),
    totalUnits: TOTAL,
    root: TREE.root,
    leafCount: LEAVES,
    settlerPublicKey: signingPublicKey(runner),
    issuedAtMs: asTimestampMs(NOW_MS + MINUTE_MS),
    ...changes,
  }).toBytes();
const single = { root: SINGLE_TREE.root, leafCount: 1 };

const STATEMENTS: Readonly<Record<string, Uint8Array>> = {
  good: statement(),
  single: statement(single),
  greedy: statement({ root: GREEDY_TREE.root, leafCount: 1 }),
  again: statement({ attempt: 2 }),
  third_attempt: statement({ attempt: 3 }),
  /** The first receipt alone; then the second and the third. */
  half: statement({ ...single, toReceipt: 1n, receiptChain: chainOver('first'), totalUnits: asAmount(PART) }),
  rest: statement({
    ...single,
    number: 2n,
    fromReceipt: 2n,
    toReceipt: 3n,
    receiptChain: chainOver('first', 'second', 'third'),
    totalUnits: asAmount(PART),
  }),
  next: statement({
    ...single,
    number: 2n,
    fromReceipt: 3n,
    toReceipt: 3n,
    receiptChain: chainOver('first', 'second', 'third'),
    totalUnits: asAmount(0n),
  }),
  /** The second and the third, when the first was written off. */
  after_write_off: statement({
    ...single,
    fromReceipt: 2n,
    toReceipt: 3n,
    receiptChain: chainOver('first', 'second', 'third'),
    totalUnits: asAmount(PART),
    issuedAtMs: asTimestampMs(NOW_MS + MONTH_MS + MINUTE_MS),
  }),
  other_chain: statement({ chainId: 'another' }),
  other_package: statement({ packageId: word('another') }),
  other_registry: statement({ registryId: word('another') }),
  other_dao: statement({ daoId: word('another') as DaoId }),
  number_0: statement({ number: 0n }),
  number_2: statement({ number: 2n }),
  attempt_0: statement({ attempt: 0 }),
  from_0: statement({ fromReceipt: 0n }),
  from_2: statement({ fromReceipt: 2n }),
  to_0: statement({ toReceipt: 0n }),
  to_3: statement({ toReceipt: 3n }),
  other_receipts: statement({ receiptChain: word('another') as Digest }),
  a_unit_more: statement({ totalUnits: asAmount(TOTAL + 1n) }),
  a_unit_less: statement({ totalUnits: asAmount(TOTAL - 1n) }),
  no_leaves: statement({ leafCount: 0 }),
  skewed: statement({ issuedAtMs: asTimestampMs(NOW_MS + 2 * MINUTE_MS) }),
  future: statement({ issuedAtMs: asTimestampMs(NOW_MS + 2 * MINUTE_MS + 1) }),
  impostor: statement({ settlerPublicKey: signingPublicKey(impostor) }),
  longest: padded(2_048, (chainId) => statement({ chainId })),
  longer: padded(2_049, (chainId) => statement({ chainId })),
};

/** Small trees: the roots of the first 1 to 17 of these entries, and the proof of every leaf of each. */
const ENTRIES = Array.from({ length: 17 }, (_, i) => word(`entry ${i}`));
const SMALL_TREES = ENTRIES.map((_, i) => new MerkleLog(ENTRIES.slice(0, i + 1).map((id) => leafHash(fromHex(id)))));
const hashes = (values: readonly Uint8Array[]): string => list(values.map((value) => literal(toHex32<Hex32>(value))));

const parties = [0, 1, 2].map((i) => secretOf(`party ${i}`));
const host = secretOf('fhe host');
const MPC_SET = signerIdOf('mpc-set', parties.map(signingPublicKey));
const FHE_HOST = signerIdOf('fhe-host', [signingPublicKey(host)]);

const by = (signerKind: SignerKind, signerPublicKey: Uint8Array): Uint8Array =>
  receipt('all', { signerKind, signerPublicKey }).bytes;
/** Bytes and who signs them, one after the other. */
const OTHER_RECEIPTS: Readonly<Record<string, readonly [Uint8Array, readonly Uint8Array[]]>> = {
  set: [by('mpc-set', fromHex(MPC_SET)), parties],
  set_swapped: [by('mpc-set', fromHex(MPC_SET)), [parties[1]!, parties[0]!, parties[2]!]],
  set_of_two: [by('mpc-set', fromHex(MPC_SET)), [parties[0]!, parties[1]!]],
  set_of_two_and_host: [by('mpc-set', fromHex(MPC_SET)), [parties[0]!, parties[1]!, host]],
  set_unknown: [by('mpc-set', fromHex(word('another'))), parties],
  /** The id of a host where a set's is asked for: of another kind, so no signer of this one. */
  set_is_a_host: [by('mpc-set', fromHex(FHE_HOST)), [host]],
  set_short: [by('mpc-set', fromHex(MPC_SET).slice(1)), parties],
  host: [by('fhe-host', signingPublicKey(host)), [host]],
  host_unknown: [by('fhe-host', signingPublicKey(impostor)), [impostor]],
  host_forged: [by('fhe-host', signingPublicKey(host)), [impostor]],
};

/** Receipts whose openings the three holders and the newcomer have. */
const ACKNOWLEDGED: readonly Uint8Array[] = [
  ...['first', 'second', 'third', 'cheap', 'charged_for_nothing'].map((name) => RECEIPTS[name]!.bytes),
  ...Object.values(OTHER_RECEIPTS).map(([bytes]) => bytes),
];
interface Acknowledging {
  readonly chainId?: string;
  readonly dao?: DaoId;
  readonly tag?: Tag;
}
async function acknowledgementsOf(receipt: Uint8Array, changes: Acknowledging = {}): Promise<string> {
  const { chainId = CHAIN_ID, dao = daoId, tag = TAGS.openingAck } = changes;
  const message = OpeningAckBcs.serialize({ chainId, daoId: dao, receiptDigest: receiptDigest(receipt) }).toBytes();
  return list(await Promise.all([...holders, newcomer].map((secret) => signed(secret, tag, message))));
}
/** Of the first receipt, but not what the chain asks for. */
const WRONG_ACKNOWLEDGEMENTS: Readonly<Record<string, Acknowledging>> = {
  other_chain: { chainId: 'another' },
  other_dao: { dao: word('another') as DaoId },
  other_tag: { tag: TAGS.receipt },
};
const wrongAcknowledgements = ([name, changes]: [string, Acknowledging]): Promise<string> =>
  acknowledgementsOf(ACKNOWLEDGED[0]!, changes).then((value) =>
    named(`acknowledgements_${name}`, 'vector<vector<u8>>', value),
  );

/** The text of `move/usufruct/tests/epoch_fixtures.move`. */
export async function epochFixturesModule(): Promise<string> {
  const parts = [
    named('total_units', 'u64', String(TOTAL)),
    named('part_units', 'u64', String(PART)),
    named('root', 'address', literal(TREE.root)),
    named('leaf_count', 'u64', String(LEAVES)),
    named('empty_leaf', 'u32', String(EMPTY_LEAF)),
    named('epoch_id', 'address', literal(epochIdOf(STATEMENTS['good']!))),
    named('epoch_account', 'address', literal(epochAccountOf(epochIdOf(STATEMENTS['good']!)) as Hex32)),
    named('receipt_chains', 'vector<address>', list([...chains()].map(literal))),
    named('settler_key', 'vector<u8>', hex(signingPublicKey(runner))),
    named('party_keys', 'vector<vector<u8>>', list(parties.map((secret) => hex(signingPublicKey(secret))))),
    named('host_key', 'vector<u8>', hex(signingPublicKey(host))),
    named('set_id', 'address', literal(MPC_SET)),
    named('host_id', 'address', literal(FHE_HOST)),
    named('tree_entries', 'vector<address>', list(ENTRIES.map(literal))),
    named('tree_roots', 'vector<address>', hashes(SMALL_TREES.map((tree) => tree.root()))),
    named('tree_proofs', 'vector<vector<vector<address>>>', list(SMALL_TREES.map(proofsOf))),
    ...(await Promise.all(Object.entries(STATEMENTS).map(([name, bytes]) => statementOf(name, bytes)))),
    ...SHOWN.map((index) => leafOf(`leaf_${index}`, MANY[index]!, TREE)),
    leafOf('leaf_greedy', GREEDY[0]!, GREEDY_TREE),
    named('acknowledged', 'vector<address>', list(ACKNOWLEDGED.map((bytes) => literal(receiptDigest(bytes))))),
    named(
      'all_acknowledgements',
      'vector<vector<vector<u8>>>',
      list(await Promise.all(ACKNOWLEDGED.map((bytes) => acknowledgementsOf(bytes)))),
    ),
    ...(await Promise.all(Object.entries(WRONG_ACKNOWLEDGEMENTS).map(wrongAcknowledgements))),
    leafOf('leaf_single', SINGLE[0]!, SINGLE_TREE),
    ...(await Promise.all(Object.entries(OTHER_RECEIPTS).map(([name, one]) => receiptOf(name, ...one)))),
  ];
  return `#[test_only]\n/// Made by \`npm run move:fixtures\` from the TypeScript libraries; do not edit.\nmodule usufruct::epoch_fixtures;\n\nuse usufruct::{digest, domain_tags};\n\n${STRUCTS}\n${parts.join('\n')}`;
}

const proofsOf = (tree: MerkleLog): string =>
  list(Array.from({ length: tree.size }, (_, i) => hashes(tree.inclusionProof(i))));

/** After the first, the second and the third receipt. */
const chains = (): Digest[] => [
  chainOver('first'),
  chainOver('first', 'second'),
  chainOver('first', 'second', 'third'),
];

const STRUCTS = `/// A statement with the settler's signature and the three holders'.
public struct Statement has copy, drop {
    bytes: vector<u8>,
    settler_signature: vector<u8>,
    signatures: vector<vector<u8>>,
}

public fun unpack(statement: Statement): (vector<u8>, vector<u8>, vector<vector<u8>>) {
    let Statement { bytes, settler_signature, signatures } = statement;
    (bytes, settler_signature, signatures)
}

/// A leaf and its proof.
public struct Leaf has copy, drop {
    index: u32,
    account: address,
    amount_units: u64,
    salt: address,
    proof: vector<address>,
}

public fun open(leaf: Leaf): (u32, address, u64, address, vector<address>) {
    let Leaf { index, account, amount_units, salt, proof } = leaf;
    (index, account, amount_units, salt, proof)
}

/// By the three holders and the newcomer; nothing good for a receipt whose opening they do not have.
public fun acknowledgements(receipt: vector<u8>): vector<vector<u8>> {
    let receipt_digest = digest::tagged(domain_tags::receipt(), vector[receipt]);
    let (is_known, i) = acknowledged().index_of(&receipt_digest);
    if (is_known) all_acknowledgements()[i] else vector[b"", b"", b"", b""]
}
`;

async function statementOf(name: string, bytes: Uint8Array): Promise<string> {
  const settler = name === 'impostor' ? impostor : runner;
  const fields = [
    `bytes: ${hex(bytes)}`,
    `settler_signature: ${await signed(settler, TAGS.epochStatement, bytes)}`,
    `signatures: ${list(await Promise.all(holders.map((secret) => signed(secret, TAGS.epochStatement, bytes))))}`,
  ];
  return named(`statement_${name}`, 'Statement', `Statement { ${fields.join(', ')} }`);
}

function leafOf(name: string, { index, account, amountUnits, salt }: EpochLeaf, tree: EpochTree): string {
  const proof = list(tree.proofOf(index).map(literal));
  const fields = `index: ${index}, account: ${literal(account as Hex32)}, amount_units: ${amountUnits}, salt: ${literal(salt)}`;
  return named(name, 'Leaf', `Leaf { ${fields}, proof: ${proof} }`);
}

async function receiptOf(name: string, bytes: Uint8Array, signers: readonly Uint8Array[]): Promise<string> {
  const signatures = await Promise.all(
    signers.map((secretKey) => sign({ secretKey, domainTag: TAGS.receipt, message: bytes })),
  );
  return named(`receipt_${name}`, '(vector<u8>, vector<u8>)', `(${hex(bytes)}, ${hex(concatBytes(...signatures))})`);
}
