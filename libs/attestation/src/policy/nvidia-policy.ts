import { bcs } from '@mysten/bcs';
import { z } from 'zod';

/** What a DAO asks of the GPUs, as data. Lists affirm: what is not in them is refused. */
export const zNvidiaPolicy = z.strictObject({
  version: z.int().positive().max(0xffff_ffff),
  /** How many GPUs there must be, no more and no less. */
  count: z.int().min(1).max(8),
  /** Such as GH100. */
  models: z.array(z.string().max(32)).max(32),
  driverVersions: z.array(z.string().max(32)).max(256),
  /** As NVIDIA writes them, such as 96.00.5E.00.01. */
  vbiosVersions: z.array(z.string().max(32)).max(256),
  /** NVSwitches that must be there, no more and no less; missing: none may be. */
  switches: z
    .strictObject({
      count: z.int().min(1).max(8),
      /** Such as LS10. */
      models: z.array(z.string().max(32)).max(32),
      biosVersions: z.array(z.string().max(32)).max(256),
    })
    .optional(),
  /**
   * What NVIDIA's OCSP must say (RFC 6960). `required`: an answer about every certificate that NVIDIA issued, of devices
   * and of manifests. `if-known`: the answers that the verifier has are judged, and who keeps them away hides a
   * revocation. Whoever writes a policy chooses: a policy that does not say is none.
   */
  revocation: z.enum(['required', 'if-known']),
  /**
   * NVIDIA's own verdict (NRAS) as a second opinion beside all that is checked here, never in its place. Missing: a
   * token that is shown is not looked at.
   */
  token: z.enum(['if-shown', 'required']).optional(),
});
export type NvidiaPolicy = z.output<typeof zNvidiaPolicy>;

const NvidiaPolicyBcs = bcs.struct('NvidiaPolicy', {
  version: bcs.u32(),
  count: bcs.u8(),
  models: bcs.vector(bcs.string()),
  driverVersions: bcs.vector(bcs.string()),
  vbiosVersions: bcs.vector(bcs.string()),
  switches: bcs.option(
    bcs.struct('Switches', {
      count: bcs.u8(),
      models: bcs.vector(bcs.string()),
      biosVersions: bcs.vector(bcs.string()),
    }),
  ),
  revocation: bcs.string(),
  token: bcs.option(bcs.string()),
});

/** The bytes that stand for a policy wherever it is hashed, as in the measurement of a TD with GPUs. */
export const encodeNvidiaPolicy = (policy: NvidiaPolicy): Uint8Array<ArrayBuffer> =>
  NvidiaPolicyBcs.serialize({
    ...policy,
    switches: policy.switches ?? null,
    token: policy.token ?? null,
  }).toBytes();
