import { Field, ObjectType } from '@nestjs/graphql';
import type { ContributionId } from '@usufruct/kernel';
import { resultUnion } from '../../platform/errors/index.js';
import { Base64, Hex32Scalar } from '../../platform/graphql/index.js';

@ObjectType({ description: "A runner's own word: RunnerErasureBcs, signed with its attested key." })
export class RunnerErasureType {
  @Field(() => Base64)
  statement!: string;
  @Field(() => Base64)
  signature!: string;
}

@ObjectType({ description: 'What the runners in reach say about a contribution that its owner has retired.' })
export class RunnerErasures {
  readonly __typename = 'RunnerErasures';
  @Field(() => Hex32Scalar)
  contributionId!: ContributionId;
  @Field(() => [RunnerErasureType])
  runners!: RunnerErasureType[];
  @Field({ description: 'Every runner that this API knows has answered.' })
  complete!: boolean;
}

export const EraseAtRunnersResult = resultUnion('EraseAtRunnersResult', RunnerErasures);
