import { CoreClient, ObjectError, SimulationError, TransactionError, type SuiClientTypes } from '@mysten/sui/client';
import { Inputs, TransactionDataBuilder, type TransactionPlugin } from '@mysten/sui/transactions';
import { normalizeSuiAddress, toBase58 } from '@mysten/sui/utils';
import { isValidTransactionSignature } from '@mysten/sui/verify';
import { canonical, checkTransaction, shortTarget, type CheckedCall } from './check-transaction.js';
import type { CompiledFunction, CompiledPackage } from './compiled.js';

export interface FakeObject {
  /** Our own modules without an address: `data_dao::Dao<0x2::sui::SUI>`. */
  readonly type: string;
  /** The owner's address; none for a shared object. */
  readonly owner?: string;
  readonly content?: Uint8Array;
  readonly balance?: bigint;
  /** Raised by whatever changes it; 1 where nothing did. */
  readonly version?: string;
}
export interface FakeSuiOptions {
  readonly compiled: CompiledPackage;
  readonly packageId: string;
  /** How long ago each transaction was put into a checkpoint makes no difference here: all are at once. */
  readonly nowMs: number;
  /** Functions of other packages, by `0x…::module::function` with a short address. */
  readonly others?: ReadonlyMap<string, CompiledFunction>;
}
type Executed = SuiClientTypes.TransactionResult<{ events: true }>;

export const FAKE_GENESIS = toBase58(new Uint8Array(32).fill(9));
const GAS_PRICE = '1000';
const GAS_BUDGET = '50000000';
const DIGEST = toBase58(new Uint8Array(32).fill(1));

/**
 * A Sui full node in memory that runs transactions over types, against a really compiled package: a call that the
 * contracts would not take fails here. What the contracts would do is for the test to say (`meaning`).
 */
export class FakeSui extends CoreClient {
  readonly objects = new Map<string, FakeObject>();
  readonly executed: { readonly digest: string; readonly sender: string; readonly calls: readonly CheckedCall[] }[] =
    [];
  epoch = 7n;
  /** The next answer to a transaction: lost before anything happened, or after everything did. */
  loseNext: 'request' | 'answer' | null = null;
  /** Transactions that are executed and in no checkpoint yet are answered without a time. */
  checkpointed = true;
  /** Why the contracts would refuse, by call; null when they would not. */
  refusal: (calls: readonly CheckedCall[]) => SuiClientTypes.MoveAbort | null = () => null;
  /** Why the contracts would refuse commands that are only tried, never sent; null when they would not. */
  judge: (data: TransactionDataBuilder, sender: string) => SuiClientTypes.MoveAbort | null = () => null;
  /** What the contracts would emit. */
  meaning: (digest: string, sender: string, calls: readonly CheckedCall[]) => SuiClientTypes.Event[] = () => [];
  /** What a transaction makes: the type of every new object, `package` for a package. */
  makes: (data: TransactionDataBuilder) => Readonly<Record<string, string>> = () => ({});
  readonly #known = new Map<string, Executed>();

  constructor(private readonly options: FakeSuiOptions) {
    super({ network: 'custom', base: undefined as never });
    this.objects.set(normalizeSuiAddress('0x6'), { type: '0x2::clock::Clock' });
  }

  /** Types alone; throws at the first fault. */
  check(data: Pick<TransactionDataBuilder, 'inputs' | 'commands'>): CheckedCall[] {
    const { compiled, packageId, others } = this.options;
    return checkTransaction(data, { compiled, packageId, others, typeOf: (id) => this.objects.get(id)?.type });
  }

  /** Commands without gas, as a key server of Seal tries them: types first, then what the contracts would say. */
  dryRun(kind: Uint8Array, sender: string): SuiClientTypes.MoveAbort | null {
    const data = TransactionDataBuilder.fromKindBytes(kind);
    this.check(data);
    return this.judge(data, sender);
  }

  resolveTransactionPlugin(): TransactionPlugin {
    return async (data, options, next) => {
      for (const [index, input] of data.inputs.entries()) {
        if (input.$kind === 'UnresolvedObject')
          data.inputs[index] = this.#resolve(data, index, input.UnresolvedObject.objectId);
      }
      const abort = this.refusal(this.check(data));
      if (abort !== null) {
        const executionError = { $kind: 'MoveAbort' as const, message: 'it aborts', MoveAbort: abort };
        throw new SimulationError('it aborts', { executionError });
      }
      if (options.onlyTransactionKind !== true) this.#payGas(data);
      await next();
    };
  }

  override async executeTransaction<I extends SuiClientTypes.TransactionInclude>(
    options: SuiClientTypes.ExecuteTransactionOptions<I>,
  ): Promise<SuiClientTypes.TransactionResult<I>> {
    const lost = this.loseNext;
    this.loseNext = null;
    if (lost === 'request') throw new Error('the request was lost');
    const result =
      this.#known.get(TransactionDataBuilder.getDigestFromBytes(options.transaction)) ?? (await this.#execute(options));
    if (lost === 'answer') throw new Error('the answer was lost');
    return result as SuiClientTypes.TransactionResult<I>;
  }

  override async getTransaction<I extends SuiClientTypes.TransactionInclude>({
    digest,
  }: SuiClientTypes.GetTransactionOptions<I>): Promise<SuiClientTypes.TransactionResult<I>> {
    const known = this.#known.get(digest);
    if (known === undefined) throw new TransactionError('notFound', digest);
    const timestampMs = this.checkpointed ? this.options.nowMs : null;
    const result =
      known.$kind === 'Transaction'
        ? { ...known, Transaction: { ...known.Transaction, timestampMs } }
        : { ...known, FailedTransaction: { ...known.FailedTransaction, timestampMs } };
    return result as SuiClientTypes.TransactionResult<I>;
  }

  override async getObjects<I extends SuiClientTypes.ObjectInclude>({
    objectIds,
  }: SuiClientTypes.GetObjectsOptions<I>): Promise<SuiClientTypes.GetObjectsResponse<I>> {
    const objects = objectIds.map((id) => {
      const found = this.objects.get(normalizeSuiAddress(id));
      return found === undefined
        ? new ObjectError('notExists', 'no such object', { reason: 'notFound', objectId: id })
        : this.#object(id, found);
    });
    return { objects: objects as SuiClientTypes.GetObjectsResponse<I>['objects'] };
  }

  override async listOwnedObjects<I extends SuiClientTypes.ObjectInclude>({
    owner,
    type,
  }: SuiClientTypes.ListOwnedObjectsOptions<I>): Promise<SuiClientTypes.ListOwnedObjectsResponse<I>> {
    const wanted = canonical(type ?? '').replace(`${canonical(this.options.packageId)}::`, '');
    const owned = [...this.objects].filter(([, object]) => object.owner === owner && object.type === wanted);
    const objects = owned.map(([id, object]) => this.#object(id, object));
    return { objects: objects as SuiClientTypes.Object<I>[], hasNextPage: false, cursor: null };
  }

  override async listCoins({
    owner,
    coinType,
  }: SuiClientTypes.ListCoinsOptions): Promise<SuiClientTypes.ListCoinsResponse> {
    const type = `0x2::coin::Coin<${canonical(coinType ?? '0x2::sui::SUI')}>`;
    const coins = [...this.objects].filter(([, object]) => object.owner === owner && object.type === type);
    const objects = coins.map(([id, object]) => ({
      ...this.#object(id, object),
      balance: String(object.balance ?? 0n),
    }));
    return { objects, hasNextPage: false, cursor: null };
  }

  override async getBalance({
    owner,
    coinType = '0x2::sui::SUI',
  }: SuiClientTypes.GetBalanceOptions): Promise<SuiClientTypes.GetBalanceResponse> {
    const { objects } = await this.listCoins({ owner, coinType });
    const balance = String(objects.reduce((sum, coin) => sum + BigInt(coin.balance), 0n));
    return { balance: { coinType, balance, coinBalance: balance, addressBalance: '0' } };
  }

  override async getCoinMetadata({
    coinType,
  }: SuiClientTypes.GetCoinMetadataOptions): Promise<SuiClientTypes.GetCoinMetadataResponse> {
    const metadata = { id: null, decimals: 6, name: 'US Dollar', symbol: 'USD', description: '', iconUrl: null };
    return { coinMetadata: coinType.includes('::') ? metadata : null };
  }

  override async getChainIdentifier(): Promise<SuiClientTypes.GetChainIdentifierResponse> {
    return { chainIdentifier: FAKE_GENESIS };
  }

  override async getCurrentSystemState(): Promise<SuiClientTypes.GetCurrentSystemStateResponse> {
    const systemState = { epoch: String(this.epoch), referenceGasPrice: GAS_PRICE };
    return { systemState: systemState as SuiClientTypes.SystemStateInfo };
  }

  override async getReferenceGasPrice(): Promise<SuiClientTypes.GetReferenceGasPriceResponse> {
    return { referenceGasPrice: GAS_PRICE };
  }

  override async simulateTransaction<I extends SuiClientTypes.SimulateTransactionInclude>({
    transaction,
  }: SuiClientTypes.SimulateTransactionOptions<I>): Promise<SuiClientTypes.SimulateTransactionResult<I>> {
    if (transaction instanceof Uint8Array) return unasked();
    const kind = await transaction.build({ client: this, onlyTransactionKind: true });
    const abort = this.dryRun(kind, transaction.getData().sender ?? '');
    const error = abort === null ? null : { $kind: 'MoveAbort' as const, message: 'it aborts', MoveAbort: abort };
    const answer =
      error === null
        ? { $kind: 'Transaction', Transaction: { status: { success: true, error } } }
        : { $kind: 'FailedTransaction', FailedTransaction: { status: { success: false, error } } };
    return answer as object as SuiClientTypes.SimulateTransactionResult<I>;
  }

  override listBalances = unasked;
  override getProtocolConfig = unasked;
  override listDynamicFields = unasked;
  override listTransactions = unasked;
  override listEvents = unasked;
  override verifyZkLoginSignature = unasked;
  override getMoveFunction = unasked;
  override defaultNameServiceName = unasked;
  override resolveNameServiceAddress = unasked;

  async #execute({ transaction, signatures }: SuiClientTypes.ExecuteTransactionOptions): Promise<Executed> {
    const data = TransactionDataBuilder.fromBytes(transaction);
    const digest = TransactionDataBuilder.getDigestFromBytes(transaction);
    const sender = data.sender ?? '';
    const signers = [...new Set([sender, data.gasData.owner ?? sender])];
    const valid = await Promise.all(
      signers.map((address, i) => isValidTransactionSignature(transaction, signatures[i] ?? '', { address })),
    );
    if (signatures.length !== signers.length || !valid.every(Boolean)) throw new Error('a signature is not valid');
    const last = data.expiration?.$kind === 'Epoch' ? BigInt(data.expiration.Epoch) : null;
    if (last === null || last < this.epoch) throw new Error('the transaction has ended');
    for (const { Object } of data.inputs) {
      const named = Object?.ImmOrOwnedObject;
      const now = named === undefined ? undefined : this.objects.get(normalizeSuiAddress(named.objectId));
      if (named !== undefined && (now?.version ?? '1') !== named.version) throw new Error('an object has changed');
    }
    const calls = this.check(data);
    this.executed.push({ digest, sender, calls });
    const result = this.#result(digest, sender, calls, this.makes(data));
    this.#known.set(digest, result);
    return result;
  }

  #result(
    digest: string,
    sender: string,
    calls: readonly CheckedCall[],
    objectTypes: Readonly<Record<string, string>>,
  ): Executed {
    const abort = this.refusal(calls);
    const shared = { digest, signatures: [], epoch: String(this.epoch), timestampMs: null, checkpoint: null };
    const changedObjects = Object.entries(objectTypes).map(([objectId, type]) => ({
      objectId,
      idOperation: 'Created',
      outputState: type === 'package' ? 'PackageWrite' : 'ObjectWrite',
    }));
    // The adapter asks for no more of the effects than this.
    const rest = {
      balanceChanges: undefined,
      transaction: undefined,
      bcs: undefined,
      objectTypes,
      effects: { changedObjects },
    };
    if (abort === null) {
      const events = this.meaning(digest, sender, calls);
      const status = { success: true as const, error: null };
      return { $kind: 'Transaction', Transaction: { ...shared, ...rest, status, events } } as object as Executed;
    }
    const error = { $kind: 'MoveAbort' as const, message: 'it aborts', MoveAbort: abort };
    const status = { success: false as const, error };
    const failed = { ...shared, ...rest, status, events: [] };
    return { $kind: 'FailedTransaction', FailedTransaction: failed } as object as Executed;
  }

  #object(id: string, { type, owner, content, version = '1' }: FakeObject) {
    return {
      objectId: normalizeSuiAddress(id),
      version,
      digest: DIGEST,
      owner:
        owner === undefined
          ? { $kind: 'Shared' as const, Shared: { initialSharedVersion: '1' } }
          : { $kind: 'AddressOwner' as const, AddressOwner: owner },
      type,
      content: content as Uint8Array<ArrayBuffer> | undefined,
      previousTransaction: undefined,
      objectBcs: undefined,
      json: undefined,
      display: undefined,
    };
  }

  #resolve(data: TransactionDataBuilder, index: number, objectId: string) {
    const found = this.objects.get(normalizeSuiAddress(objectId));
    if (found === undefined) throw new Error(`there is no object ${objectId}`);
    if (found.owner !== undefined) return Inputs.ObjectRef({ objectId, version: found.version ?? '1', digest: DIGEST });
    let mutable = false;
    data.getInputUses(index, (argument, command) => {
      if (command.$kind !== 'MoveCall') return;
      const { module, function: name, arguments: given } = command.MoveCall;
      const { compiled, others } = this.options;
      const called = others?.get(shortTarget(command.MoveCall)) ?? compiled.functions.get(`${module}::${name}`);
      const parameter = called?.parameters[given.indexOf(argument)];
      // By value, too: who takes a shared object away writes it.
      mutable ||= parameter !== undefined && !/^&(?!mut )/.test(parameter);
    });
    return Inputs.SharedObjectRef({ objectId, initialSharedVersion: '1', mutable });
  }

  #payGas(data: TransactionDataBuilder): void {
    const owner = data.gasData.owner ?? data.sender;
    const used = new Set(data.inputs.map((input) => input.Object?.ImmOrOwnedObject?.objectId));
    const coins = [...this.objects].filter(
      ([id, object]) => object.owner === owner && object.type === '0x2::coin::Coin<0x2::sui::SUI>' && !used.has(id),
    );
    if (coins.length === 0) throw new Error('No valid gas coins found for the transaction.');
    const payment = coins.map(([objectId]) => ({ objectId, version: '1', digest: DIGEST }));
    data.gasData = { ...data.gasData, price: GAS_PRICE, budget: GAS_BUDGET, payment };
  }
}

const unasked = (): never => {
  throw new Error('this was not expected to be asked');
};
