import { Args, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { asId, refuse, type Address, type Hex32 } from '@usufruct/kernel';
import { Hex32Scalar } from '../graphql/index.js';
import { ApiKeys } from './api-keys.js';
import { CurrentViewer, MaybeViewer, Public } from './auth.guard.js';
import {
  ApiKeyType,
  CreateApiKeyInput,
  CreateApiKeyResult,
  RefreshResult,
  RevokeApiKeyResult,
  SignInChallengeResult,
  SignInInput,
  SignInResult,
  SignOutResult,
  ViewerType,
  type ApiKeyCreatedType,
  type SessionType,
  type SignedOutType,
  type SignInChallengeType,
} from './auth.types.js';
import { Challenges } from './challenges.js';
import { Sessions, type OpenSession } from './sessions.js';
import type { Viewer } from './viewer.js';

@Resolver(() => ViewerType)
export class AuthResolver {
  constructor(
    private readonly challenges: Challenges,
    private readonly sessions: Sessions,
    private readonly apiKeyService: ApiKeys,
  ) {}

  @Public()
  @Query(() => ViewerType, { nullable: true, description: 'Null when nobody is signed in.' })
  viewer(@MaybeViewer() viewer: Viewer | null): ViewerType | null {
    return viewer;
  }

  @ResolveField(() => [ApiKeyType])
  async apiKeys(@Parent() viewer: ViewerType): Promise<ApiKeyType[]> {
    if (viewer.scopes !== null) throw refuse('FORBIDDEN', { needs: 'a wallet session' });
    return this.apiKeyService.list(asId<Address>(viewer.address, 'address'));
  }

  @Public()
  @Mutation(() => SignInChallengeResult)
  async signInChallenge(@Args('address', { type: () => Hex32Scalar }) address: Hex32): Promise<SignInChallengeType> {
    return { __typename: 'SignInChallenge', ...(await this.challenges.issue(asId<Address>(address, 'address'))) };
  }

  @Public()
  @Mutation(() => SignInResult)
  async signIn(@Args('input') input: SignInInput): Promise<SessionType> {
    const address = asId<Address>(input.address, 'address');
    await this.challenges.answer(address, input.nonce, input.signature);
    return toSession(await this.sessions.open(address));
  }

  @Public()
  @Mutation(() => RefreshResult)
  async refresh(@Args('refreshToken') refreshToken: string): Promise<SessionType> {
    return toSession(await this.sessions.refresh(refreshToken));
  }

  @Mutation(() => SignOutResult)
  async signOut(@CurrentViewer() viewer: Viewer): Promise<SignedOutType> {
    if (viewer.sessionId !== null) await this.sessions.close(viewer.sessionId);
    return { __typename: 'SignedOut', address: viewer.address };
  }

  @Mutation(() => CreateApiKeyResult)
  createApiKey(@CurrentViewer() viewer: Viewer, @Args('input') input: CreateApiKeyInput): Promise<ApiKeyCreatedType> {
    return this.apiKeyService.create(viewer.address, input);
  }

  @Mutation(() => RevokeApiKeyResult)
  revokeApiKey(@CurrentViewer() viewer: Viewer, @Args('apiKeyId') apiKeyId: string): Promise<ApiKeyType> {
    return this.apiKeyService.revoke(viewer.address, apiKeyId);
  }
}

const toSession = ({ address, ...tokens }: OpenSession): SessionType => ({
  __typename: 'Session',
  ...tokens,
  viewer: { address, scopes: null },
});
