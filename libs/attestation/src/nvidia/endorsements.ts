/**
 * Names of what NVIDIA publishes among a verifier's endorsements: reference manifests by their ids in the RIM service,
 * OCSP responses by the SHA-256 of the certificate that they are about (hex), and the keys of the attestation service.
 */
export const NVIDIA_ENDORSEMENTS = {
  rim: (id: string) => `nvidia/rim/${id}.xml`,
  driverRimId: (model: string, version: string) => `NV_GPU_DRIVER_${model}_${version}`,
  ocsp: (fingerprint: string) => `nvidia/ocsp/${fingerprint}.der`,
  nrasKeys: 'nvidia/nras/jwks.json',
} as const;
