import type { SuiClientTypes } from '@mysten/sui/client';
import type { TransactionDataBuilder } from '@mysten/sui/transactions';
import { fromBase64, normalizeSuiAddress } from '@mysten/sui/utils';
import { toHex, type Address, type ContributionId, type GrantId, type RunnerId } from '@usufruct/kernel';
import { objectOf } from '../move/sui-fixtures.js';

/** What `grant::seal_approve` reads on the chain, for the test to change. */
export interface SealFacts {
  runners: Map<RunnerId, Address>;
  isPaused: boolean;
  isJobFunded: boolean;
  isDatasetTombstoned: boolean;
  tombstoned: Set<ContributionId>;
  grants: Map<GrantId, { readonly contributionId: ContributionId; isRevoked: boolean }>;
}
export const sealFacts = (): SealFacts => ({
  runners: new Map(),
  isPaused: false,
  isJobFunded: true,
  isDatasetTombstoned: false,
  tombstoned: new Set(),
  grants: new Map(),
});

/** The contracts' rules and the numbers that they abort with; a test of the adapter holds them to its table. */
const ABORTS = {
  'data_dao::EPaused': 710,
  'dataset::ETombstoned': 802,
  'contribution::ETombstoned': 906,
  'job::EClosed': 1009,
  'runner_registry::ENotRegistered': 609,
  'grant::ERevoked': 1104,
  'grant::EGrantRequired': 1105,
  'grant::EWrongRunner': 1107,
  'grant::EWrongIdentity': 1108,
} as const;
export type SealRule = keyof typeof ABORTS;

/**
 * Judges tried commands as the contracts do, rule for rule in their order, on these facts. Whether the arguments are of
 * the right types and in their places, `FakeSui` has asked the compiled module before.
 */
export const sealJudge =
  (facts: SealFacts) =>
  (data: TransactionDataBuilder, sender: string): SuiClientTypes.MoveAbort | null => {
    for (const command of data.commands) {
      if (command.$kind !== 'MoveCall' || command.MoveCall.function !== 'seal_approve') continue;
      const rule = brokenRule(
        facts,
        command.MoveCall.arguments.map((argument) => inputOf(data, argument)),
        sender,
      );
      if (rule === null) continue;
      const [module] = rule.split('::');
      return { abortCode: String(ABORTS[rule]), location: { module } } as SuiClientTypes.MoveAbort;
    }
    return null;
  };

function brokenRule(facts: SealFacts, given: readonly string[], sender: string): SealRule | null {
  const [id, dao, dataset, job, contribution, grantId, runnerId] = given as [string, ...string[]];
  const objects = [objectOf('dao'), objectOf('dataset'), objectOf('job'), normalizeSuiAddress('0x6')];
  if ([dao, dataset, job, given[7]].some((each, i) => each !== objects[i])) throw new Error('other objects are given');
  if (facts.isPaused) return 'data_dao::EPaused';
  if (facts.isDatasetTombstoned) return 'dataset::ETombstoned';
  // A vector of bytes has its length before it.
  if (id !== `0x20${contribution!.slice(2)}`) return 'grant::EWrongIdentity';
  if (!facts.isJobFunded) return 'job::EClosed';
  const attested = facts.runners.get(runnerId as RunnerId);
  if (attested === undefined) return 'runner_registry::ENotRegistered';
  if (attested !== sender) return 'grant::EWrongRunner';
  if (facts.tombstoned.has(contribution as ContributionId)) return 'contribution::ETombstoned';
  const grant = facts.grants.get(grantId as GrantId);
  if (grant === undefined || grant.contributionId !== contribution) return 'grant::EGrantRequired';
  return grant.isRevoked ? 'grant::ERevoked' : null;
}

type Argument = Extract<
  TransactionDataBuilder['commands'][number],
  { $kind: 'MoveCall' }
>['MoveCall']['arguments'][number];

/** A plain value as hex, an object by its id. */
function inputOf(data: TransactionDataBuilder, argument: Argument): string {
  const input = argument.$kind === 'Input' ? data.inputs[argument.Input] : undefined;
  if (input?.$kind === 'Pure') return `0x${toHex(fromBase64(input.Pure.bytes))}`;
  const shared = input?.$kind === 'Object' ? input.Object.SharedObject : undefined;
  if (shared === undefined) throw new Error('an argument is neither a plain value nor a shared object');
  if (shared.mutable) throw new Error('seal_approve writes nothing');
  return normalizeSuiAddress(shared.objectId);
}
