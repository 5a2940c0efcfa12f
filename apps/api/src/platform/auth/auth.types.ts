import { Field, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { Hex32, TimestampMs } from '@usufruct/kernel';
import { resultUnion } from '../errors/index.js';
import { Hex32Scalar, TimestampMsScalar } from '../graphql/index.js';
import { API_SCOPES, type ApiScope } from './viewer.js';

export const ApiScopeEnum = Object.fromEntries(API_SCOPES.map((scope) => [scope, scope]));
registerEnumType(ApiScopeEnum, {
  name: 'ApiScope',
  description: 'What an API key may do. A key never manages keys or sessions.',
});

@ObjectType('SignInChallenge')
export class SignInChallengeType {
  readonly __typename = 'SignInChallenge';
  @Field({ description: 'The exact text to sign as a Sui personal message.' })
  message!: string;
  @Field()
  nonce!: string;
  @Field(() => TimestampMsScalar)
  expiresAtMs!: TimestampMs;
}

@ObjectType('ApiKey')
export class ApiKeyType {
  readonly __typename = 'ApiKey';
  @Field()
  apiKeyId!: string;
  @Field()
  name!: string;
  @Field(() => [ApiScopeEnum])
  scopes!: ApiScope[];
  @Field(() => TimestampMsScalar)
  createdAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar)
  expiresAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { nullable: true })
  revokedAtMs!: TimestampMs | null;
}

@ObjectType('ApiKeyCreated')
export class ApiKeyCreatedType {
  readonly __typename = 'ApiKeyCreated';
  @Field(() => ApiKeyType)
  apiKey!: ApiKeyType;
  @Field({ description: 'Shown this once.' })
  secret!: string;
}

@ObjectType('Viewer')
export class ViewerType {
  @Field(() => Hex32Scalar)
  address!: Hex32;
  @Field(() => [ApiScopeEnum], { nullable: true, description: 'Null for a wallet session, which may do everything.' })
  scopes!: readonly ApiScope[] | null;
}

@ObjectType('Session')
export class SessionType {
  readonly __typename = 'Session';
  @Field()
  accessToken!: string;
  @Field(() => TimestampMsScalar)
  accessTokenExpiresAtMs!: TimestampMs;
  @Field()
  refreshToken!: string;
  @Field(() => TimestampMsScalar)
  refreshTokenExpiresAtMs!: TimestampMs;
  @Field(() => ViewerType)
  viewer!: ViewerType;
}

@ObjectType('SignedOut')
export class SignedOutType {
  readonly __typename = 'SignedOut';
  @Field(() => Hex32Scalar)
  address!: Hex32;
}

@InputType()
export class SignInInput {
  @Field(() => Hex32Scalar)
  address!: Hex32;
  @Field()
  nonce!: string;
  @Field({ description: 'A serialised Sui signature, base64.' })
  signature!: string;
}

@InputType()
export class CreateApiKeyInput {
  @Field()
  name!: string;
  @Field(() => [ApiScopeEnum])
  scopes!: ApiScope[];
  @Field(() => Int, { defaultValue: 90 })
  termDays!: number;
}

export const SignInChallengeResult = resultUnion('SignInChallengeResult', SignInChallengeType);
export const SignInResult = resultUnion('SignInResult', SessionType);
export const RefreshResult = resultUnion('RefreshResult', SessionType);
export const SignOutResult = resultUnion('SignOutResult', SignedOutType);
export const CreateApiKeyResult = resultUnion('CreateApiKeyResult', ApiKeyCreatedType);
export const RevokeApiKeyResult = resultUnion('RevokeApiKeyResult', ApiKeyType);
