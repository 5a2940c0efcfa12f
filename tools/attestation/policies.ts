/** A policy of every kind, with something in every list. */
export const POLICIES = {
  tdx: {
    version: 1,
    tcbStatuses: ['UpToDate'],
    advisories: ['INTEL-SA-00615'],
    minTcbEvaluationDataNumber: 18,
    ppids: ['00'.repeat(16)],
    tdAttributesAllowed: '00'.repeat(8),
    xfams: ['e702060000000000'],
    requiredEvents: [{ name: 'image-digest', payload: 'ab' }],
  },
  snp: {
    version: 1,
    products: ['Milan'],
    permissions: ['SMT'],
    minTcb: { fmc: 0, bootloader: 4, tee: 0, snp: 24, microcode: 219 },
    platformInfo: '20'.repeat(8),
    vmpls: [0],
    chipIds: [],
  },
  nitro: { version: 1, maxAgeMs: 300_000, registers: [{ index: 3, values: ['00'.repeat(48)] }] },
  nvidia: {
    version: 1,
    count: 8,
    models: ['GH100'],
    driverVersions: ['550.144.03'],
    vbiosVersions: ['96.00.5E.00.01'],
    switches: { count: 4, models: ['LS10'], biosVersions: ['96.10.6D.00.01'] },
    revocation: 'required',
    token: 'if-shown',
  },
};
