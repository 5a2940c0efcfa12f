import { createUnionType, Field, Int, ObjectType } from '@nestjs/graphql';
import type { DaoId, Digest, Hex32, TimestampMs } from '@usufruct/kernel';
import {
  isListChange,
  type DaoView,
  type PolicyChange,
  type PolicyListField,
  type PolicyValueField,
} from '@usufruct/protocol';
import { typeNameOf } from '../../platform/errors/index.js';
import { codeEnum, connectionOf, Hex32Scalar, TimestampMsScalar } from '../../platform/graphql/index.js';
import { DaoPolicyType } from './dao.types.js';

const VALUE_FIELDS: Record<PolicyValueField, true> = {
  pricePerQuestionUnits: true,
  contributorsBps: true,
  treasuryBps: true,
  runnerBps: true,
  protocolBps: true,
  holderSetId: true,
  verifierThreshold: true,
  maxJobTermMs: true,
  onRevocation: true,
  blobs: true,
  selfQueriesPay: true,
  resultTermMs: true,
  appraisalVersion: true,
};
const LIST_FIELDS: Record<PolicyListField, true> = {
  purposes: true,
  kinds: true,
  protections: true,
  profiles: true,
  measurements: true,
};
export const PolicyValueFieldEnum = codeEnum(
  'PolicyValueField',
  Object.keys(VALUE_FIELDS) as PolicyValueField[],
  'What of a policy is one value; the parts of the split and what the appraisal policy says by their own names.',
);
export const PolicyListFieldEnum = codeEnum('PolicyListField', Object.keys(LIST_FIELDS) as PolicyListField[]);

@ObjectType()
export class PolicyValueChange {
  readonly __typename = 'PolicyValueChange';
  @Field(() => PolicyValueFieldEnum)
  field!: PolicyValueField;
  @Field({
    description:
      'An id, a word of the rule, true or false, or an integer in decimals: units, basis points, milliseconds or a count.',
  })
  before!: string;
  @Field()
  after!: string;
}

@ObjectType({ description: 'With nothing added and nothing removed, only the order is another.' })
export class PolicyListChange {
  readonly __typename = 'PolicyListChange';
  @Field(() => PolicyListFieldEnum)
  field!: PolicyListField;
  @Field(() => [String])
  added!: readonly string[];
  @Field(() => [String])
  removed!: readonly string[];
}

export type PolicyChangeType = PolicyValueChange | PolicyListChange;
export const PolicyChangeUnion = createUnionType({
  name: 'PolicyChange',
  types: () => [PolicyValueChange, PolicyListChange] as const,
  resolveType: typeNameOf,
});
export const toPolicyChange = (change: PolicyChange): PolicyChangeType =>
  isListChange(change)
    ? { __typename: 'PolicyListChange', ...change }
    : {
        __typename: 'PolicyValueChange',
        field: change.field,
        before: String(change.before),
        after: String(change.after),
      };

@ObjectType('PolicyVersion')
export class PolicyVersionType {
  daoId!: DaoId;
  @Field(() => Int)
  version!: number;
  @Field(() => DaoPolicyType)
  policy!: DaoView['policy'];
  @Field(() => Hex32Scalar)
  policyDigest!: Digest;
  @Field(() => Hex32Scalar, { description: 'Who sent the transaction: by vote, whoever executed the proposal.' })
  setBy!: Hex32;
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
  @Field(() => TimestampMsScalar)
  setAtMs!: TimestampMs;
}
export const PolicyVersionConnection = connectionOf(PolicyVersionType, 'PolicyVersion');

@ObjectType('Measurement', { description: 'What runners of a DAO may measure as, or might once.' })
export class MeasurementType {
  @Field()
  measurement!: string;
  @Field({ description: 'False: no registration under it counts any more.' })
  approved!: boolean;
  @Field(() => Int, { description: 'The policy version that approved it last.' })
  approvedVersion!: number;
  @Field(() => TimestampMsScalar)
  approvedAtMs!: TimestampMs;
  @Field(() => Int, { nullable: true })
  withdrawnVersion!: number | null;
  @Field(() => TimestampMsScalar, { nullable: true })
  withdrawnAtMs!: TimestampMs | null;
}
