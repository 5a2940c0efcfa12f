/**
 * SHA-256 over the DER of each root, lower-case hex. A root is recognised by all of its bytes, which its digest stands
 * for; its name or its key would be imitated too easily.
 */
export const PINNED = {
  /** Intel SGX Root CA: PCK certificates, TCB info, identities and their lists, also for TDX. */
  intel: ['44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3'],
  /** ARK-Milan, ARK-Genoa, ARK-Turin: AMD's key distribution service, cert_chain of each product line. */
  amd: [
    '69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd',
    '4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1',
    '1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a',
  ],
  /** NVIDIA Device Identity CA: what every GPU's chain ends in. */
  nvidiaDevice: ['102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48'],
  /** NVIDIA CoRIM signing Root CA: reference manifests of drivers and VBIOS. */
  nvidiaRim: ['12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1'],
  /**
   * AWS Nitro Enclaves Root-G1, commercial partitions: docs.aws.amazon.com/enclaves/latest/user/verify-root.html gives
   * this fingerprint of the certificate.
   */
  awsNitro: ['641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b'],
} as const;
