import { describe, expect, it } from '@jest/globals';
import type { DatasetId } from '@usufruct/kernel';
import { idOf } from '@usufruct/testing';
import { datasetLabels } from './dataset-labels.js';

describe('what datasets are called', () => {
  const card = (id: string, title: string | null, dao: string | null) => ({
    datasetId: idOf<DatasetId>(id),
    title,
    dao: { title: dao },
  });

  it('tells those of the same name apart, and only those', () => {
    const labels = [...datasetLabels([card('a', 'Notes', 'Clinic'), card('b', 'Notes', 'Farm'), card('c', 'Notes', 'Clinic')]).values()]; // prettier-ignore
    expect(labels[1]).toBe('Notes · Farm');
    for (const i of [0, 2]) expect(labels[i]).toMatch(/^Notes · Clinic \(0x.+…/);
    expect(labels[0]).not.toBe(labels[2]);
  });

  it('has words for what has no title', () => {
    const [label] = [...datasetLabels([card('a', null, null)]).values()];
    expect(label).toMatch(/^0x.+… · unnamed DAO$|^0x.+ · unnamed DAO$/);
  });
});
