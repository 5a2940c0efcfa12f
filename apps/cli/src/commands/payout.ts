import { refuse, sumUnits, type DaoId, type EpochId } from '@usufruct/kernel';
import { claimEndOf, epochPhase } from '@usufruct/protocol';
import { zPayoutProof, zSignedEpochStatement, type PrivatePayouts } from '@usufruct/sdk';
import { formatCoins } from '../amounts.js';
import { integerOf } from '../arguments.js';
import { readJsonFile } from '../files-json.js';
import { operatorOf, secretOf } from '../holder-secret.js';
import type { AddCommand } from '../program.js';
import { idArgument, type Runtime } from '../runtime.js';
import { orNone, timeOf, wordsOf } from '../words.js';

export const addPayout: AddCommand = (program, open) => {
  const payout = program.command('payout').description('what your wallet earned and spent, and payouts to claim');
  payout
    .command('list')
    .description(
      'every entry, newest first, and whether the API and the chain agree; with --private your parts of epochs',
    )
    .option('--private', 'your own parts of epochs of private payout, from the key holders')
    .option('--dao <id>', 'of this DAO alone; otherwise of all that you have contributed to')
    .action(async (options: PrivateOptions, command) => {
      const runtime = open(command);
      return options.private === true || options.dao !== undefined
        ? listPrivate(runtime, options)
        : listEntries(runtime);
    });
  payout
    .command('epochs')
    .description("a DAO's epochs of private payout, and until when each can be claimed from")
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const epochs = await runtime.client().payouts.epochs(idArgument<DaoId>(id, 'dao'));
      const words = await wordsOf(runtime);
      const withPhase = epochs.map((epoch) => ({ ...epoch, phase: epochPhase(epoch, runtime.clock.nowMs()) }));
      const lines = withPhase.map(
        ({ phase, ...epoch }) =>
          `${epoch.number}  ${epoch.id}  ${phase}  ${words.amount(epoch.claimedUnits)} of ${words.amount(epoch.totalUnits)} claimed, from ${timeOf(epoch.challengeEndsAtMs)} to ${timeOf(claimEndOf(epoch))}`,
      );
      runtime.terminal.result({ epochs: withPhase }, orNone(lines));
    });
  payout
    .command('claim')
    .description(
      'claim your parts of epochs, all that can be claimed, from the key holders; or the one that a file names',
    )
    .argument('[file]', 'a leaf and its proof; claimed for the account that it names, checked here before it is sent')
    .option('--dao <id>', 'of this DAO alone; otherwise of all that you have contributed to')
    .action(async (path: string | undefined, options: { dao?: string }, command) => {
      const runtime = open(command);
      return path === undefined ? claimOwn(runtime, options) : claimFile(runtime, path);
    });
  payout
    .command('sweep')
    .description('when the claim term is over: send what nobody claimed where the rules of the epoch say')
    .argument('<epoch>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const swept = await runtime.client().payouts.sweep(idArgument<EpochId>(id, 'epoch'));
      const rest = (await wordsOf(runtime)).amount(swept.totalUnits - swept.claimedUnits);
      runtime.terminal.result({ epoch: swept }, [`${rest} went to the ${swept.unclaimedTo}`]);
    });
  payout
    .command('object')
    .description(
      'as the operator of a key holder: say, while an epoch can be challenged, that it is not what you computed',
    )
    .argument('<epoch>')
    .requiredOption('--member <n>', 'the number of your key holder in the holder set, from 1')
    .option('--secret-file <file>', "act as this holder's operator instead of with your wallet")
    .action(async (id: string, { member, secretFile }: ObjectOptions, command) => {
      const runtime = open(command);
      const place = integerOf(member, 'member') - 1;
      if (place < 0 || place > 255) throw refuse('INVALID_ARGUMENT', { field: 'member', expected: '1 to 256' });
      const client = secretFile === undefined ? runtime.client() : runtime.clientOf(operatorOf(secretOf(secretFile)));
      const epoch = await client.payouts.object(idArgument<EpochId>(id, 'epoch'), place);
      const until = epoch.state === 'rejected' ? 'rejected' : `challengeable until ${timeOf(epoch.challengeEndsAtMs)}`;
      runtime.terminal.result({ epoch }, [`${epoch.objections.length} objections; the epoch is ${until}`]);
    });
  payout
    .command('prove')
    .description('show the chain another statement that the settler signed for the same attempt: it rejects the epoch')
    .argument('<epoch>')
    .requiredOption('--statement <file>', 'JSON with "statement" and "settlerSignature" in base64, as holders get them')
    .action(async (id: string, { statement: path }: { statement: string }, command) => {
      const runtime = open(command);
      const other = readJsonFile(path, zSignedEpochStatement, 'statement file');
      const epoch = await runtime.client().payouts.prove(idArgument<EpochId>(id, 'epoch'), other);
      runtime.terminal.result({ epoch }, [`epoch ${epoch.number} is ${epoch.state}; its settler was ${epoch.settler}`]);
    });
};

interface ObjectOptions {
  readonly member: string;
  readonly secretFile?: string;
}

interface PrivateOptions {
  readonly private?: boolean;
  readonly dao?: string;
}
const daoOf = ({ dao }: { readonly dao?: string }): DaoId | undefined =>
  dao === undefined ? undefined : idArgument<DaoId>(dao, 'dao');

async function listEntries(runtime: Runtime): Promise<void> {
  const client = runtime.client();
  const [entries, reconciliation, coin] = [
    await client.payouts.entries(),
    await client.payouts.reconcile(),
    await runtime.coin(),
  ];
  const lines = entries.map(({ atMs, direction, amountUnits, reason, contributionId }) => {
    const sign = direction === 'credit' ? '+' : '-';
    const about = contributionId === null ? '' : `  for ${contributionId}`;
    return `${new Date(atMs).toISOString()}  ${sign}${formatCoins(amountUnits, coin)}  ${reason}${about}`;
  });
  const agreement = reconciliation.agrees ? 'API and chain agree to the last unit' : 'API AND CHAIN DO NOT AGREE';
  runtime.terminal.result({ entries, reconciliation }, [...lines, agreement]);
}

async function listPrivate(runtime: Runtime, options: PrivateOptions): Promise<void> {
  const found = await runtime.client().payouts.fetch(daoOf(options));
  const words = await wordsOf(runtime);
  const lines = found.payouts.map(({ epoch, phase, proof, isClaimed }) => {
    const state = isClaimed
      ? 'claimed'
      : phase === 'challenge'
        ? `from ${timeOf(epoch.challengeEndsAtMs)}`
        : 'can be claimed';
    return `${epoch.number}  ${epoch.id}  ${words.amount(proof.leaf.amountUnits)}  ${state}`;
  });
  runtime.terminal.result(found, [...orNone(lines), ...unansweredLines(found)]);
}

const unansweredLines = ({ unanswered }: PrivatePayouts): string[] =>
  unanswered.length === 0
    ? []
    : [`${unanswered.length} epochs of which not every key holder has said that you have no part`];

async function claimOwn(runtime: Runtime, options: { readonly dao?: string }): Promise<void> {
  const claims = await runtime.client().payouts.claimAll(daoOf(options));
  const words = await wordsOf(runtime);
  const paid = claims.filter(({ sent }) => sent).map(({ proof }) => proof.leaf);
  const lines = paid.map(({ number, amountUnits }) => `${words.amount(amountUnits)} of epoch ${number}`);
  const amountUnits = sumUnits(paid.map((leaf) => leaf.amountUnits));
  runtime.terminal.result({ claims, amountUnits }, lines.length === 0 ? ['nothing can be claimed now'] : lines);
}

async function claimFile(runtime: Runtime, path: string): Promise<void> {
  const proof = readJsonFile(path, zPayoutProof, 'proof file');
  const { epoch, sent } = await runtime.client().payouts.claim(proof);
  const { account, amountUnits } = proof.leaf;
  const words = await wordsOf(runtime);
  const said = sent ? `${words.amount(amountUnits)} paid to ${account}` : 'nothing to do: paid already, or zero';
  runtime.terminal.result({ sent, account, amountUnits, epoch }, [said]);
}
