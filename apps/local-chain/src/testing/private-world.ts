import { sign, type SigningKey } from '@usufruct/crypto';
import { asAmount, asTimestampMs, concatBytes, type DaoId, type EpochId, type QuestionId } from '@usufruct/kernel';
import { buildEpoch, type BuiltEpoch, type PrivateReceipt } from '@usufruct/ledger';
import {
  epochIdOf,
  EpochStatementBcs,
  OpeningAckBcs,
  receiptDigest,
  TAGS,
  UsageReceiptBcs,
  type ChainAction,
  type ChainActionPayloads,
  type DaoPolicy,
  type EpochLeaf,
  type EpochStatement,
  type Governance,
  type PayoutRules,
  type StatementSignature,
  type UsageReceipt,
} from '@usufruct/protocol';
import { markAt, poolOf } from '../machine/receipt-pool.js';
import { DaoWorld, PRICE } from './dao-world.js';
import { hexOf, signingKeyOf } from './world.js';

const MINUTE_MS = 60_000;
export const CHALLENGE_MS = MINUTE_MS;
export const CLAIM_TERM_MS = 10 * MINUTE_MS;

export type ActionOf<K extends ChainAction['kind']> = { readonly kind: K } & ChainActionPayloads[K];
export interface Proposed {
  readonly id: EpochId;
  readonly built: BuiltEpoch;
  readonly action: ActionOf<'proposeEpoch'>;
}

/** A DAO that pays in epochs, with a window of a minute and claims for ten. */
export class PrivateWorld extends DaoWorld {
  readonly parties = [0, 1, 2].map((i) => signingKeyOf(`party ${i}`));
  readonly host = signingKeyOf('fhe host');
  /** What the settler knows of the receipts that were settled, the first of them first. */
  readonly receipts: PrivateReceipt[] = [];

  override policy(changes: Partial<DaoPolicy> = {}): DaoPolicy {
    return super.policy({ protections: ['tee', 'mpc', 'fhe'], ...changes });
  }
  override dao(
    changes: Partial<DaoPolicy> = {},
    salt = 'dao',
    rules: { governance?: Partial<Governance>; payoutRules?: Partial<PayoutRules> } = {},
  ): ChainAction {
    const payoutRules = { mode: 'epoch' as const, challengeMs: CHALLENGE_MS, claimTermMs: CLAIM_TERM_MS };
    return super.dao(changes, salt, { ...rules, payoutRules: { ...payoutRules, ...rules.payoutRules } });
  }

  /** A private receipt, signed by these keys one after the other. */
  async privately(
    question: number,
    weights: readonly (bigint | null)[],
    changes: Partial<UsageReceipt> = {},
    keys: readonly SigningKey[] = [this.runnerKey],
  ): Promise<ActionOf<'settlePrivately'>> {
    const questionId = hexOf<QuestionId>(`question ${question}`);
    const receipt = UsageReceiptBcs.serialize(
      this.receipt(this.uses(...weights), { questionId, ...changes }),
    ).toBytes();
    const signatures = await Promise.all(
      keys.map(({ secretKey }) => sign({ secretKey, domainTag: TAGS.receipt, message: receipt })),
    );
    const acknowledgements = await this.acknowledgements(receipt);
    return { kind: 'settlePrivately', receipt, signature: concatBytes(...signatures), acknowledgements };
  }

  /** By these members of the holder set, with these keys. */
  acknowledgements(
    receipt: Uint8Array,
    members: readonly number[] = [0, 1],
    keys: readonly SigningKey[] = members.map((member) => this.holderKeys[member]!),
    changes: { readonly daoId?: DaoId; readonly chainId?: string } = {},
  ): Promise<StatementSignature[]> {
    const { daoId = this.daoId, chainId = this.chain.info.chainId } = changes;
    const message = OpeningAckBcs.serialize({ chainId, daoId, receiptDigest: receiptDigest(receipt) }).toBytes();
    return Promise.all(
      members.map(async (member, i) => ({
        member,
        signature: await sign({ secretKey: keys[i]!.secretKey, domainTag: TAGS.openingAck, message }),
      })),
    );
  }

  /** Settles a receipt, and remembers what the settler must know of it. */
  async settle(
    question: number,
    weights: readonly (bigint | null)[],
    changes: Partial<UsageReceipt> = {},
  ): Promise<void> {
    await this.run(this.stranger, await this.privately(question, weights, changes));
    const { split } = this.policy();
    const priceUnits = weights.some((weight) => weight !== null) ? asAmount(PRICE) : asAmount(0n);
    const uses = this.uses(...weights).map(({ contributionId, weight }) => ({
      contributionId,
      weight,
      owner: this.contributors[this.contributionIds.indexOf(contributionId)]!.address,
    }));
    this.receipts.push({ priceUnits, split, uses });
  }

  /** An epoch over all that no epoch covers, with changes to the statement where a test wants it wrong. */
  async epoch(
    changes: Partial<EpochStatement> = {},
    by: {
      readonly settler?: SigningKey;
      readonly members?: readonly number[];
      readonly signers?: readonly number[];
    } = {},
  ): Promise<Proposed> {
    const pool = poolOf(this.store, this.daoId);
    const { settler = this.runnerKey, members = [0, 1] } = by;
    const number = pool.epochCount + 1n;
    const receipts = this.receipts.slice(Number(pool.coveredReceipts));
    const built = buildEpoch({ daoId: this.daoId, number, receipts, random: this.random });
    const { chainId, packageId, registryId } = this.chain.info;
    const statement = EpochStatementBcs.serialize({
      chainId,
      packageId,
      registryId,
      daoId: this.daoId,
      number,
      attempt: 1,
      fromReceipt: pool.coveredReceipts + 1n,
      toReceipt: pool.receiptCount,
      receiptChain: pool.receiptChain,
      totalUnits: built.totalUnits,
      root: built.tree.root,
      leafCount: built.leaves.length,
      settlerPublicKey: settler.publicKey,
      issuedAtMs: asTimestampMs(this.clock.nowMs()),
      ...changes,
    }).toBytes();
    const signatures = await Promise.all(
      members.map(async (member, i) => ({
        member,
        signature: await this.#signed(this.holderKeys[by.signers?.[i] ?? member]!, statement),
      })),
    );
    const settlerSignature = await this.#signed(settler, statement);
    const action = { kind: 'proposeEpoch' as const, statement, settlerSignature, signatures };
    return { id: epochIdOf(statement), built, action };
  }

  /** What an epoch says about the receipts up to this one. */
  upTo(toReceipt: bigint): Pick<EpochStatement, 'receiptChain' | 'totalUnits'> {
    const before = markAt(this.store, this.daoId, poolOf(this.store, this.daoId).coveredReceipts)!;
    const { receiptChain, pooledUnits } = markAt(this.store, this.daoId, toReceipt)!;
    return { receiptChain, totalUnits: asAmount(pooledUnits - before.pooledUnits) };
  }

  #signed({ secretKey }: SigningKey, message: Uint8Array): Promise<Uint8Array> {
    return sign({ secretKey, domainTag: TAGS.epochStatement, message });
  }

  claim({ id, built }: Proposed, index: number, changes: Partial<EpochLeaf> = {}): ActionOf<'claimPayout'> {
    const leaf = built.leaves[index]!;
    const { account, amountUnits, salt } = { ...leaf, ...changes };
    const shown = changes.index ?? index;
    return {
      kind: 'claimPayout',
      epochId: id,
      index: shown,
      account,
      amountUnits,
      salt,
      proof: built.tree.proofOf(index),
    };
  }
  objection({ id }: Pick<Proposed, 'id'>, member: number): ActionOf<'objectToEpoch'> {
    return { kind: 'objectToEpoch', epochId: id, member };
  }
  equivocation({ id }: Pick<Proposed, 'id'>, { action }: Proposed): ActionOf<'proveEquivocation'> {
    const { statement, settlerSignature } = action;
    return { kind: 'proveEquivocation', epochId: id, statement, settlerSignature };
  }
  sweep({ id }: Pick<Proposed, 'id'>): ActionOf<'sweepEpoch'> {
    return { kind: 'sweepEpoch', epochId: id };
  }

  /** Contributions, a runner and a funded job of three questions. */
  static async asked(rules: Partial<PayoutRules> = {}): Promise<PrivateWorld> {
    const world = new PrivateWorld();
    await world.run(world.founder, world.holderSet(), world.dao({}, 'dao', { payoutRules: rules }), world.dataset());
    return (await world.fill()).open();
  }
  /** And two receipts: by 2 and 1 to Ada and Ben, by 1 and 3 to Ben and Cleo. */
  static async settled(rules: Partial<PayoutRules> = {}): Promise<PrivateWorld> {
    const world = await PrivateWorld.asked(rules);
    await world.settle(1, [2n, 1n, null]);
    await world.settle(2, [null, 1n, 3n]);
    return world;
  }
}
