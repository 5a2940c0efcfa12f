import { Field, ObjectType } from '@nestjs/graphql';
import { fromHex, toBase64Url, type Hex32 } from '@usufruct/kernel';
import { Hex32Scalar, SafeInt } from '../../platform/graphql/index.js';

@ObjectType('BlobReference')
export class BlobReferenceType {
  @Field(() => Hex32Scalar)
  blob!: Hex32;
  @Field({ description: 'The same bytes as Walrus writes them (base64url).' })
  blobId!: string;
  @Field(() => SafeInt)
  sizeBytes!: number;
  @Field(() => SafeInt, { description: 'The first epoch in which the store need not keep it.' })
  endEpoch!: number;
}

export const toBlobReference = (reference: {
  blob: Hex32;
  sizeBytes: number;
  endEpoch: number;
}): BlobReferenceType => ({ ...reference, blobId: toBase64Url(fromHex(reference.blob)) });

@ObjectType({ description: 'Where a client finds the parts that it talks to itself.' })
export class Endpoints {
  @Field(() => [String])
  holderUrls!: readonly string[];
  @Field()
  publisherUrl!: string;
  @Field()
  aggregatorUrl!: string;
}
