import type { Digest } from '@usufruct/kernel';

/** Ten thousand are a re-sharing of a large dataset; each is a hundred bytes or a thousand. */
const KEPT = 20_000;

/**
 * Commitments to polynomials that this holder has computed when it received sub-shares, by their digests, which commit to
 * them: a certificate names them soon after. What is forgotten, or was never here, is computed again.
 */
export class MadePolynomials {
  readonly #known = new Map<Digest, Uint8Array>();

  keep(polynomial: Digest, commitments: Uint8Array): void {
    this.#known.delete(polynomial);
    this.#known.set(polynomial, commitments);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KEPT && oldest !== undefined) this.#known.delete(oldest);
  }

  find(polynomial: Digest): Uint8Array | undefined {
    return this.#known.get(polynomial);
  }
}
