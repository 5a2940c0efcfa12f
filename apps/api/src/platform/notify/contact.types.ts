import { Field, InputType, ObjectType } from '@nestjs/graphql';
import { resultUnion } from '../errors/index.js';

@ObjectType({ description: 'Where an address wants to be told things. Nobody but it sees this.' })
export class NoticeContactType {
  readonly __typename = 'NoticeContactType';
  @Field(() => String, { nullable: true })
  webhookUrl!: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'Key of the signatures (Standard Webhooks), said once: when the webhook was set or changed.',
  })
  webhookSecret!: string | null;
  @Field(() => String, { nullable: true })
  email!: string | null;
  @Field({ description: 'Nothing is mailed before the code that was sent there came back.' })
  emailConfirmed!: boolean;
}

@InputType()
export class NoticeContactInput {
  @Field(() => String, { nullable: true, description: 'https, of a public host; null: none.' })
  webhookUrl?: string | null;
  @Field(() => String, { nullable: true })
  email?: string | null;
}

export const NoticeContactResult = resultUnion('NoticeContactResult', NoticeContactType);
