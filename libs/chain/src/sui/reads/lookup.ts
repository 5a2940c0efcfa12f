import type { ClientWithCoreApi } from '@mysten/sui/client';
import { fromHex, refuse, type ContributionId, type DaoId, type DatasetId, type Hex32 } from '@usufruct/kernel';
import type { EventIndex } from '../events/event-index.js';
import { daoObject } from '../layout/objects.js';
import type { SuiSettings } from '../settings.js';
import { ObjectReader, type FieldName } from './objects.js';

export interface SuiReaderParams {
  readonly client: ClientWithCoreApi;
  readonly settings: SuiSettings;
  readonly index: EventIndex;
  readonly timeoutMs: number;
}

/** From our ids to the objects: where they are, by the index, and what they are, by the chain. */
export class Lookup {
  readonly objects: ObjectReader;

  constructor(readonly params: SuiReaderParams) {
    this.objects = new ObjectReader(params.client, params.timeoutMs);
  }

  /** What the index has, or has once it is up to date. Refuses `NOT_FOUND`. */
  async find<T>(find: (index: EventIndex['objects']) => T): Promise<T> {
    const { index } = this.params;
    try {
      return find(index.objects);
    } catch {
      await index.sync();
      return find(index.objects);
    }
  }

  /** Refuses `NOT_FOUND` also for a DAO of another coin. */
  async dao(id: DaoId) {
    const dao = await this.find((index) => index.daos.find(id));
    if (dao.coin !== this.params.settings.coinType) throw refuse('NOT_FOUND', { object: 'dao' });
    return dao;
  }

  async daoObject(id: DaoId) {
    return this.objects.object((await this.dao(id)).object, daoObject);
  }

  async dataset(id: DatasetId) {
    const dataset = await this.find((index) => index.datasets.find(id));
    await this.dao(dataset.daoId);
    return dataset;
  }

  async contribution(id: ContributionId) {
    const contribution = await this.find((index) => index.contributions.find(id));
    const { object } = await this.dataset(contribution.datasetId);
    return { ...contribution, datasetObject: object };
  }

  /** The name of a dynamic field whose key is a struct of one id: it serialises as that id. */
  fieldName(struct: string, id: Hex32): FieldName {
    return { type: `${this.params.settings.packageId}::${struct}`, bytes: fromHex(id) };
  }
}
