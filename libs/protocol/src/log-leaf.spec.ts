import { describe, expect, it } from '@jest/globals';
import { asTimestampMs, fromHex, toHex32, type Hex32 } from '@usufruct/kernel';
import {
  EgressLeafBcs,
  LeaseLeafBcs,
  LogLeafBcs,
  LEAF_JOB_OFFSET,
  ReleaseLeafBcs,
  type EgressLeaf,
  type LeaseLeaf,
  type ReleaseLeaf,
} from './log-leaf.js';

const id = <T extends Hex32>(byte: number): T => toHex32<T>(new Uint8Array(32).fill(byte));
const asked = {
  holderSetId: id<never>(1),
  jobId: id<never>(2),
  datasetId: id<never>(3),
  measurement: 'ab',
  runnerSigningKey: new Uint8Array([7, 7]),
  evidenceDigest: id<never>(4),
  atMs: asTimestampMs(5),
};
const use = { purpose: 'DUO:0000042', kind: 'train', protection: 'tee' } as const;
const release: ReleaseLeaf = {
  ...asked,
  ...use,
  shareIndex: 1,
  contributionId: id(5),
  grantId: id(6),
  decision: 'RELEASED',
};
const lease: LeaseLeaf = {
  ...asked,
  ...use,
  shareIndex: 2,
  keyId: id(5),
  keyKind: 'checkpoint',
  grantSetVersion: id(6),
  decision: 'LEASED',
  leasedUntilMs: asTimestampMs(9),
};
const egress: EgressLeaf = { ...asked, member: 1, outputKind: 'statistics', outputDigest: id(8), decision: 'GRANTED' };

describe("an entry of a holder's log", () => {
  it('says in its first byte what it is, and is read as nothing else', () => {
    const entries = [
      ReleaseLeafBcs.serialize(release).toBytes(),
      LeaseLeafBcs.serialize(lease).toBytes(),
      EgressLeafBcs.serialize(egress).toBytes(),
    ];
    expect(entries.map((bytes) => bytes[0])).toEqual([0, 1, 2]);
    expect(entries.map((bytes) => LogLeafBcs.parse(bytes))).toEqual([
      { type: 'release', leaf: release },
      { type: 'lease', leaf: lease },
      { type: 'egress', leaf: egress },
    ]);
    entries.forEach((bytes, is) => {
      expect(LogLeafBcs.serialize(LogLeafBcs.parse(bytes)).toBytes()).toEqual(bytes);
      [ReleaseLeafBcs, LeaseLeafBcs, EgressLeafBcs].forEach((type, as) => {
        if (is !== as) expect(() => type.parse(bytes)).toThrow();
      });
    });
  });

  it('has its job where it is looked for, whatever it is', () => {
    const entries = [ReleaseLeafBcs.serialize(release), LeaseLeafBcs.serialize(lease), EgressLeafBcs.serialize(egress)];
    for (const entry of entries) {
      expect(entry.toBytes().slice(LEAF_JOB_OFFSET, LEAF_JOB_OFFSET + 32)).toEqual(fromHex(release.jobId));
    }
  });
});
