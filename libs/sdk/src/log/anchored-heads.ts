import type { Address, Digest } from '@usufruct/kernel';
import type { ChainEvent, HolderSetView } from '@usufruct/protocol';

/** The state of a log that its holder has put on the chain, for everybody to see. */
export interface AnchoredHead {
  readonly treeSize: number;
  readonly rootHash: Digest;
  /** Position of the chain's event. */
  readonly seq: number;
}

/** Of one set: the heads that each operator has anchored, oldest first. Fed every event of the chain in order. */
export class AnchoredHeads {
  readonly #byOperator = new Map<Address, AnchoredHead[]>();

  constructor(private readonly set: Pick<HolderSetView, 'id'>) {}

  note({ data, sender, seq }: ChainEvent): void {
    // By who sent it and not by the place in the set, which a rotation gives to somebody else.
    if (data.type !== 'TreeHeadAnchored' || data.holderSetId !== this.set.id) return;
    const { treeSize, rootHash } = data;
    const known = this.#byOperator.get(sender) ?? [];
    const last = known.at(-1);
    if (last?.treeSize === treeSize && last.rootHash === rootHash) return;
    known.push({ treeSize, rootHash, seq });
    this.#byOperator.set(sender, known);
  }

  of(operator: Address): readonly AnchoredHead[] {
    return this.#byOperator.get(operator) ?? [];
  }
}
