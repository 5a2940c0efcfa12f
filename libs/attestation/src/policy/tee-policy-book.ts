import { parseJson, refuse, type DaoId, type Digest } from '@usufruct/kernel';
import { zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import type { TeePolicy } from '../types.js';
import { zNitroPolicy } from './nitro-policy.js';
import { zNvidiaPolicy } from './nvidia-policy.js';
import { zSnpPolicy } from './snp-policy.js';
import { zTdxPolicy } from './tdx-policy.js';

/** What is asked of the hardware, as a document. The measurements on the chain pin it, whoever hands it over. */
export const zTeePolicy: z.ZodType<TeePolicy> = z
  .strictObject({
    tdx: zTdxPolicy.exactOptional(),
    snp: zSnpPolicy.exactOptional(),
    nitro: zNitroPolicy.exactOptional(),
    nvidia: zNvidiaPolicy.exactOptional(),
  })
  .refine((policy) => Object.keys(policy).length > 0, 'a policy for at least one kind of evidence');

/** The documents that a verifier was given, one or more a DAO. */
export const zTeePolicyBook = z.strictObject({
  v: z.literal(1),
  policies: z
    .array(
      z.strictObject({
        daoId: zHex32<DaoId>(),
        /** Digest of the DAO's appraisal policy on the chain that it goes with; missing: any. */
        appraisalPolicyDigest: zHex32<Digest>().exactOptional(),
        teePolicy: zTeePolicy,
      }),
    )
    .max(1024),
});
export type TeePolicyBook = z.output<typeof zTeePolicyBook>;

/** Refuses `CONFIG_INVALID` with the setting's name for text that is not such a book, or names one case twice. */
export function readTeePolicyBook(text: string, setting: string): TeePolicyBook {
  const book = zTeePolicyBook.safeParse(parseJson(text)).data;
  const cases = book?.policies.map(({ daoId, appraisalPolicyDigest }) => `${daoId} ${appraisalPolicyDigest ?? '*'}`);
  if (book !== undefined && new Set(cases).size === cases?.length) return book;
  throw refuse('CONFIG_INVALID', { setting, expected: 'policies for hardware, each DAO and digest once' });
}

/** The document for a DAO under its appraisal policy of now: the one for exactly that policy, else the one for any. */
export function teePolicyFor({ policies }: TeePolicyBook, daoId: DaoId, digest: Digest): TeePolicy | undefined {
  const ofDao = policies.filter((entry) => entry.daoId === daoId);
  const exact = ofDao.find((entry) => entry.appraisalPolicyDigest === digest);
  return (exact ?? ofDao.find((entry) => entry.appraisalPolicyDigest === undefined))?.teePolicy;
}
