import { Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { AppraisalService } from './appraisal.service.js';
import { AppraisalType } from './appraisal.types.js';
import { Attestation } from './attest.types.js';

@Resolver(() => Attestation)
export class AppraisalResolver {
  constructor(private readonly service: AppraisalService) {}

  @ResolveField(() => AppraisalType)
  appraisal(@Parent() { asked }: Attestation): Promise<AppraisalType> {
    return this.service.appraise(asked);
  }
}
