import {
  fromHex,
  refuse,
  type Address,
  type DatasetId,
  type HolderSetId,
  type LicenceId,
  type SignerId,
} from '@usufruct/kernel';
import {
  COMPUTATION_KINDS,
  PROTECTION_KINDS,
  type ChainInfo,
  type DaoView,
  type ProposalEffect,
} from '@usufruct/protocol';
import { parseDuration } from '@usufruct/sdk';
import { Option, type Command } from 'commander';
import { parseCoins } from '../../amounts.js';
import { integerOf, splitOf } from '../../arguments.js';
import { idArgument } from '../../runtime.js';
import { parseRoles } from './members.js';
import {
  dataRulesOf,
  governanceOf,
  payoutRulesOf,
  withDataRules,
  withGovernance,
  withPayoutRules,
  withTerms,
  withTermsOf,
  type DataOptions,
  type GovernanceOptions,
  type PayoutOptions,
  type TermsOptions,
} from './rules.js';

/** What a proposal is made from: the DAO as it is, so that parts of its rules can be changed, and what was typed. */
export interface Proposing {
  readonly dao: DaoView;
  readonly coin: ChainInfo['coin'];
  /** Arguments by position; a list is one argument. */
  readonly text: (position: number) => string;
  readonly list: (position: number) => string[];
  readonly options: object;
}
export interface EffectCommand {
  readonly name: string;
  readonly about: string;
  /** After the DAO, as commander writes them. */
  readonly args: readonly string[];
  readonly withOptions?: (command: Command) => Command;
  readonly effect: (proposing: Proposing) => ProposalEffect;
}

interface LicenceOptions {
  readonly purpose: string;
  readonly kind: (typeof COMPUTATION_KINDS)[number];
  readonly protection: (typeof PROTECTION_KINDS)[number];
  readonly term: string;
}
const withLicence = (command: Command): Command =>
  command
    .requiredOption('--purpose <code>', 'DUO or DPV code')
    .addOption(new Option('--kind <kind>', 'of computation').choices(COMPUTATION_KINDS).default('rag'))
    .addOption(new Option('--protection <kind>').choices(PROTECTION_KINDS).default('tee'))
    .option('--term <time>', 'how long a licence lasts', '365d');

/** Changes of the policy. */
const POLICY_EFFECTS: readonly EffectCommand[] = [
  {
    name: 'price',
    about: 'the price of one question, in coins',
    args: ['<amount>'],
    effect: ({ coin, text }) => ({ kind: 'setPrice', pricePerQuestionUnits: parseCoins(text(0), coin, 'amount') }),
  },
  {
    name: 'purposes',
    about: 'all purposes that questions may have (DUO or DPV codes)',
    args: ['<code...>'],
    effect: ({ list }) => ({ kind: 'setPurposes', purposes: list(0) }),
  },
  {
    name: 'split',
    about: 'contributors,treasury,runner,protocol in parts of ten thousand',
    args: ['<list>'],
    effect: ({ text }) => ({ kind: 'setSplit', split: splitOf(text(0)) }),
  },
  {
    name: 'approve-measurement',
    about: 'code whose runners may get keys',
    args: ['<hex>'],
    effect: ({ text }) => ({ kind: 'approveMeasurement', measurement: text(0) }),
  },
  {
    name: 'withdraw-measurement',
    about: 'code whose runners then stop at once',
    args: ['<hex>'],
    effect: ({ text }) => ({ kind: 'withdrawMeasurement', measurement: text(0) }),
  },
  {
    name: 'verifiers',
    about: 'the holder set, and how many of its members register a runner',
    args: ['<holder-set>', '<threshold>'],
    effect: ({ text }) => ({
      kind: 'setVerifiers',
      holderSetId: idArgument<HolderSetId>(text(0), 'holder-set'),
      verifierThreshold: integerOf(text(1), 'threshold'),
    }),
  },
  {
    name: 'terms',
    about: 'kinds of computation, protections, evidence and their terms; what is left out stays as it is',
    args: [],
    withOptions: withTerms,
    effect: ({ dao, options }) => {
      const { kinds, protections, maxJobTermMs, appraisal } = withTermsOf(options as TermsOptions, dao.policy);
      const { profiles, resultTermMs } = appraisal;
      return { kind: 'setTerms', kinds, protections, profiles, resultTermMs, maxJobTermMs };
    },
  },
  {
    name: 'data-rules',
    about: 'what becomes of data in use and of stored data; what is left out stays as it is',
    args: [],
    withOptions: withDataRules,
    effect: ({ dao, options }) => ({ kind: 'setDataRules', ...dataRulesOf(options as DataOptions, dao.policy) }),
  },
];

/** How the DAO decides, pays and spends. */
const DAO_EFFECTS: readonly EffectCommand[] = [
  {
    name: 'governance',
    about: 'how the DAO decides; what is left out stays as it is',
    args: [],
    withOptions: withGovernance,
    effect: ({ dao, options }) => ({
      kind: 'setGovernance',
      governance: governanceOf(options as GovernanceOptions, dao.governance),
    }),
  },
  {
    name: 'payout-rules',
    about: 'how contributors of new sessions are paid; what is left out stays as it is',
    args: [],
    withOptions: withPayoutRules,
    effect: ({ dao, options }) => ({
      kind: 'setPayoutRules',
      payoutRules: payoutRulesOf(options as PayoutOptions, dao.payoutRules),
    }),
  },
  {
    name: 'spend',
    about: 'pay coins from the treasury',
    args: ['<to>', '<amount>'],
    effect: ({ coin, text }) => ({
      kind: 'spendTreasury',
      to: idArgument<Address>(text(0), 'to'),
      amountUnits: parseCoins(text(1), coin, 'amount'),
    }),
  },
  {
    name: 'roles',
    about: 'what a member may do: administrator, policyMaker, steward with commas between, or none',
    args: ['<member>', '<roles>'],
    effect: ({ text }) => ({
      kind: 'setRoles',
      member: idArgument<Address>(text(0), 'member'),
      roles: parseRoles(text(1)),
    }),
  },
  { name: 'unpause', about: 'end the pause', args: [], effect: () => ({ kind: 'unpause' }) },
];

/** Signers, datasets and licences. */
const ROOM_EFFECTS: readonly EffectCommand[] = [
  {
    name: 'register-signer',
    about: 'who signs receipts without being a runner: mpc-set with three keys, or fhe-host with one',
    args: ['<kind>', '<pay-to>', '<key...>'],
    effect: ({ text, list }) => {
      const signerKind = text(0);
      if (signerKind !== 'mpc-set' && signerKind !== 'fhe-host') {
        throw refuse('INVALID_ARGUMENT', { field: 'kind', expected: 'mpc-set or fhe-host' });
      }
      const publicKeys = list(2).map((key) => fromHex(idArgument(key, 'key')));
      return { kind: 'registerSigner', signerKind, publicKeys, payTo: idArgument<Address>(text(1), 'pay-to') };
    },
  },
  {
    name: 'withdraw-signer',
    about: 'accept no more of its receipts, at once',
    args: ['<signer>'],
    effect: ({ text }) => ({ kind: 'withdrawSigner', signerId: idArgument<SignerId>(text(0), 'signer') }),
  },
  {
    name: 'tombstone-dataset',
    about: 'retire a dataset for good: nothing of it is released or used again',
    args: ['<dataset>'],
    effect: ({ text }) => ({ kind: 'tombstoneDataset', datasetId: idArgument<DatasetId>(text(0), 'dataset') }),
  },
  {
    name: 'offer-licence',
    about: 'sell the right to fund jobs of one kind on a dataset',
    args: ['<dataset>', '<price>'],
    withOptions: withLicence,
    effect: ({ coin, text, options }) => {
      const { purpose, kind, protection, term } = options as LicenceOptions;
      const terms = {
        datasetId: idArgument<DatasetId>(text(0), 'dataset'),
        purpose,
        computation: kind,
        protection,
        priceUnits: parseCoins(text(1), coin, 'price'),
        termMs: parseDuration(term, 'term'),
      };
      return { kind: 'offerLicence', terms };
    },
  },
  {
    name: 'withdraw-licence-offer',
    about: 'sell no more of it; licences that were bought stay',
    args: ['<offer>'],
    effect: ({ text }) => ({ kind: 'withdrawLicenceOffer', offerId: idArgument<LicenceId>(text(0), 'offer') }),
  },
  {
    name: 'write-off-receipts',
    about: 'give up the contributors’ part of private receipts that nobody could divide for 30 days; to the treasury',
    args: ['<from>', '<to>'],
    effect: ({ text }) => ({
      kind: 'writeOffReceipts',
      fromReceipt: BigInt(integerOf(text(0), 'from')),
      toReceipt: BigInt(integerOf(text(1), 'to')),
    }),
  },
];

export const EFFECT_COMMANDS: readonly EffectCommand[] = [...POLICY_EFFECTS, ...DAO_EFFECTS, ...ROOM_EFFECTS];
