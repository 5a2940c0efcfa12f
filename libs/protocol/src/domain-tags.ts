/**
 * Every domain-separation tag, in one place. A tag names one use of one primitive; changing the bytes that it covers
 * means a new version. Signatures cover `lengthPrefixed(utf8(tag), message)`; hashes cover the same.
 */
export const TAGS = {
  objectId: 'usufruct/object-id/v1',
  manifest: 'usufruct/manifest/v1',
  sessionKey: 'usufruct/session-key/v1',
  keyCommitment: 'usufruct/key-commitment/v1',
  shareSeal: 'usufruct/share-seal/v1',
  shareReceipt: 'usufruct/share-receipt/v1',
  shareRelease: 'usufruct/share-release/v1',
  releaseLeaf: 'usufruct/release-leaf/v1',
  treeHead: 'usufruct/tree-head/v1',
  logQuery: 'usufruct/log-query/v1',
  challenge: 'usufruct/challenge/v1',
  clientChallenge: 'usufruct/client-challenge/v1',
  gpuNonce: 'gpu/v1',
  reportData: 'rd/v1',
  runnerStatement: 'usufruct/runner-statement/v1',
  daoPolicy: 'usufruct/dao-policy/v1',
  appraisalPolicy: 'usufruct/appraisal-policy/v1',
  attestationResult: 'usufruct/attestation-result/v1',
  evidence: 'usufruct/evidence/v1',
  localTransaction: 'usufruct/local-transaction/v1',
  receipt: 'usufruct/usage-receipt/v1',
  usesCommitment: 'usufruct/uses-commitment/v1',
  resultCommitment: 'usufruct/result-commitment/v1',
  question: 'usufruct/question/v1',
  questionAuthorization: 'usufruct/question-authorization/v1',
  answer: 'usufruct/answer/v1',
  signIn: 'usufruct/sign-in/v1',
  holderSigning: 'usufruct/holder-signing/v1',
  holderSealing: 'usufruct/holder-sealing/v1',
  holderStorage: 'usufruct/holder-storage/v1',
  holderOperator: 'usufruct/holder-operator/v1',
  metadata: 'usufruct/metadata/v1',
} as const;
export type Tag = (typeof TAGS)[keyof typeof TAGS];
