import { refuse, UsufructError, type Digest } from '@usufruct/kernel';

/**
 * The work's result; what it refuses is refused with the same code and the receipt alone. Which contribution a question
 * used is what an opening hides, and a refusal is sent in clear: no detail and no cause of it may say that.
 */
export async function unnamed<T>(receiptDigest: Digest, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw refuse(error instanceof UsufructError ? error.code : 'INTERNAL', { receiptDigest });
  }
}
