/**
 * `npm run move:sizes`: what paying 100, 1,000 and 100,000 contributors takes, against Sui's limits: bytes of the
 * transactions as they are signed (built by Mysten's SDK, offline), commands, events and created objects. How many
 * objects a call makes is what `move/usufruct/tests/sizes_tests.move` measures on the Move VM; entries of tables, which
 * that VM does not count and a network does, are added here. Receipt and statement are those of the Move tests'
 * fixtures. Prints one JSON object.
 */
import { Inputs, Transaction } from '@mysten/sui/transactions';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/** Sui's protocol configuration. */
const LIMITS = { bytes: 128 * 1024, commands: 1_024, createdObjects: 2_048, events: 1_024 };
const CONTRIBUTORS = [100, 1_000, 100_000];
/** A bit for each leaf; a word of them is an entry of a table. */
const LEAVES_PER_WORD = 256;
/** A claim makes a coin, and an entry when it is a member's first after a proposal of the DAO. */
const OBJECTS_PER_CLAIM = 2;
/** The epoch, and the entry of its attempt. */
const OBJECTS_PER_PROPOSAL = 2;
/** Coins for runner and protocol; the entries of the consumed question and of the pool's mark. */
const OBJECTS_PER_PRIVATE_SETTLEMENT = 4;
const USES_PER_RECEIPT = 64;
/** A coin and a checkpoint for each contributor; coins for runner, protocol and a refund; the consumed question. */
const OBJECTS_PER_DIRECT_SETTLEMENT = 2 * USES_PER_RECEIPT + 4;
const COUNTERSIGNERS = 2;

const id = (n) => `0x${n.toString(16).padStart(64, '0')}`;
const COIN = `${id(0xc0)}::usdc::USDC`;
const PACKAGE = id(0xacce55);
const shared = (tx, n, mutable) =>
  tx.object(Inputs.SharedObjectRef({ objectId: id(n), initialSharedVersion: '123456789', mutable }));
const clock = (tx) => tx.object(Inputs.SharedObjectRef({ objectId: '0x6', initialSharedVersion: '1', mutable: false }));
const addresses = (tx, count) =>
  tx.pure.vector(
    'address',
    Array.from({ length: count }, (_, i) => id(i)),
  );
const bytes = (tx, count) => tx.pure.vector('u8', new Uint8Array(count));

/** Bytes of the transaction with its sender, gas and expiry; the signature and its envelope are 100 bytes more. */
async function built(fill) {
  const tx = new Transaction();
  tx.setSender(id(1));
  tx.setGasPrice(1_000);
  tx.setGasBudget(50_000_000_000);
  tx.setGasPayment([{ objectId: id(2), version: '123456789', digest: '11111111111111111111111111111111' }]);
  fill(tx, (target, ...args) =>
    tx.moveCall({ target: `${PACKAGE}::${target}`, typeArguments: [COIN], arguments: args }),
  );
  return (await tx.build()).length;
}

/** Siblings from a leaf of the largest depth to the root. */
const proofHashes = (leaves) => Math.ceil(Math.log2(leaves));
const claims = (leaves, count) =>
  built((tx, call) => {
    const [epoch, dao, time] = [shared(tx, 3, true), shared(tx, 4, true), clock(tx)];
    for (let i = 0; i < count; i++) {
      const [index, units] = [tx.pure.u32(i), tx.pure.u64(1_000_000)];
      const [account, salt] = [tx.pure.address(id(i)), tx.pure.address(id(i))];
      call('epoch::claim', epoch, dao, index, account, units, salt, addresses(tx, proofHashes(leaves)), time);
    }
  });

/** As many claims as one transaction may have; each is a command and an event. */
async function mostClaims(leaves) {
  let [least, most] = [
    1,
    Math.min(leaves, LIMITS.commands, LIMITS.events, Math.floor(LIMITS.createdObjects / (OBJECTS_PER_CLAIM + 1))),
  ];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if ((await claims(leaves, middle)) <= LIMITS.bytes) least = middle;
    else most = middle - 1;
  }
  return least;
}

async function payout(contributors) {
  const together = await mostClaims(contributors);
  return {
    contributors,
    /** When all of them are paid directly: one receipt each 64 of them, one transaction each receipt. */
    directReceipts: Math.ceil(contributors / USES_PER_RECEIPT),
    proofHashes: proofHashes(contributors),
    claimBytes: await claims(contributors, 1),
    claimsPerTransaction: together,
    claimsTransactionBytes: await claims(contributors, together),
    claimsTransactionObjects: together * OBJECTS_PER_CLAIM + Math.ceil(together / LEAVES_PER_WORD),
    /** When one sender claims for all; otherwise each claims alone, when it likes. */
    transactionsForAll: Math.ceil(contributors / together),
    coinsForAll: contributors,
    bitmapObjectsForAll: Math.ceil(contributors / LEAVES_PER_WORD),
  };
}

/** Bytes of what the libraries made and signed for the Move tests. */
async function fixtureBytes(file, pattern) {
  const text = await readFile(resolve(import.meta.dirname, '../../move/usufruct/tests', file), 'utf8');
  return pattern.exec(text)[1].length / 2;
}
const receiptBytes = await fixtureBytes('fixtures.move', /fun receipt_first\(\)[^"]*x"([0-9a-f]+)"/);
const statementBytes = await fixtureBytes('epoch_fixtures.move', /fun statement_good\(\)[^"]*x"([0-9a-f]+)"/);

const direct = () =>
  built((tx, call) => {
    const [job, dao, dataset] = [3, 4, 5].map((n) => shared(tx, n, true));
    const [registry, receipt, signature] = [shared(tx, 6, false), bytes(tx, receiptBytes), bytes(tx, 64)];
    const [contributions, grants] = [addresses(tx, USES_PER_RECEIPT), addresses(tx, USES_PER_RECEIPT)];
    const weights = tx.pure.vector('u64', Array(USES_PER_RECEIPT).fill(1));
    const uses = [tx.pure.address(id(7)), contributions, grants, weights];
    call('usage_receipt::settle', job, dao, dataset, registry, receipt, signature, ...uses, clock(tx));
  });
const privately = () =>
  built((tx, call) => {
    const [job, dao, dataset] = [shared(tx, 3, true), shared(tx, 4, true), shared(tx, 5, false)];
    const [registry, set] = [shared(tx, 6, false), shared(tx, 7, false)];
    const [receipt, signature] = [bytes(tx, receiptBytes), bytes(tx, 64)];
    const members = tx.pure.vector('u8', [0, 1]);
    const acks = tx.pure.vector('vector<u8>', Array(COUNTERSIGNERS).fill(Array(64).fill(0)));
    const shown = [receipt, signature, members, acks, clock(tx)];
    call('usage_receipt::settle_privately', job, dao, dataset, registry, set, ...shown);
  });
const proposal = () =>
  built((tx, call) => {
    const [dao, registry, set] = [shared(tx, 4, true), shared(tx, 6, false), shared(tx, 7, false)];
    const members = tx.pure.vector('u8', [0, 1]);
    const signatures = tx.pure.vector('vector<u8>', Array(COUNTERSIGNERS).fill(Array(64).fill(0)));
    const [statement, settler] = [bytes(tx, statementBytes), bytes(tx, 64)];
    call('epoch::propose', dao, registry, set, statement, settler, members, signatures, clock(tx));
  });

const sizes = {
  limits: LIMITS,
  directSettlement: {
    contributorsAtMost: USES_PER_RECEIPT,
    receiptBytes,
    transactionBytes: await direct(),
    createdObjectsAtMost: OBJECTS_PER_DIRECT_SETTLEMENT,
  },
  privateSettlement: { transactionBytes: await privately(), createdObjects: OBJECTS_PER_PRIVATE_SETTLEMENT },
  proposal: {
    countersigners: COUNTERSIGNERS,
    statementBytes,
    transactionBytes: await proposal(),
    createdObjects: OBJECTS_PER_PROPOSAL,
  },
  payouts: [],
};
for (const contributors of CONTRIBUTORS) sizes.payouts.push(await payout(contributors));
process.stdout.write(`${JSON.stringify(sizes, null, 2)}\n`);
