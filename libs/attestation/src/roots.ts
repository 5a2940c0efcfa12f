import { parseJson, refuse, utf8, type Brand } from '@usufruct/kernel';
import { z } from 'zod';
import { PINNED } from './pinned-roots.js';
import { parseCertificate, type Certificate } from './x509/certificate.js';
import { parsePemChain } from './x509/pem.js';

/** Whose signature a root stands for. A root of one vendor says nothing about another's evidence. */
export type RootName = 'software-dev' | 'intel' | 'amd' | 'nvidiaDevice' | 'nvidiaRim' | 'awsNitro';

interface PinnedRoots {
  /** SHA-256 of the DER of each vendor's trusted roots, hex. */
  readonly byName: ReadonlyMap<RootName, readonly string[]>;
  /** A root of a hardware vendor in it is generated: whatever it judges is a stand-in. */
  readonly standIn: boolean;
}

/**
 * The roots that a verifier trusts. Branded: the only ways to get one are the functions below, so no caller can pass
 * roots that it read from anywhere; nothing in this package reads the environment, a file or the network.
 */
export type RootSet = Brand<PinnedRoots, 'RootSet'>;

type NamedRoots = readonly (readonly [RootName, readonly string[]])[];
const rootSet = (roots: NamedRoots, standIn: boolean): RootSet =>
  ({ byName: new Map(roots), standIn }) as PinnedRoots as RootSet;

/** What a production verifier trusts. A vendor that is not listed has no pinned root: its evidence is refused. */
export const productionRoots = (): RootSet =>
  rootSet(
    [
      ['intel', PINNED.intel],
      ['amd', PINNED.amd],
      ['nvidiaDevice', PINNED.nvidiaDevice],
      ['nvidiaRim', PINNED.nvidiaRim],
      ['awsNitro', PINNED.awsNitro],
    ],
    false,
  );

/**
 * DEV ONLY: the production roots and, for the profile `software-dev` alone, the root of one software TEE. It cannot
 * add or replace a root of a hardware vendor. The caller must refuse to run with it on a real network.
 * Refuses `CONFIG_INVALID` when the text is not one certificate or its name does not say DEV ONLY.
 */
export const rootSetWithDevRoot = (rootPem: string): RootSet =>
  rootSet([...productionRoots().byName, ['software-dev', [devCertificate(rootPem).fingerprint]]], false);

/**
 * DEV ONLY: generated roots in place of hardware vendors', for tests of their formats. No production root is among
 * them, each must say DEV ONLY in its name, and every result under them is marked as a stand-in's.
 * Refuses `CONFIG_INVALID` when a text is not one certificate or the name does not say it.
 */
export function devHardwareRoots(pems: Readonly<Partial<Record<RootName, string>>>): RootSet {
  const roots = Object.entries(pems).map(
    ([name, pem]) => [name as RootName, [devCertificate(pem).fingerprint]] as const,
  );
  return rootSet(roots, true);
}

const zDevRoots = z.strictObject({
  intel: z.string().exactOptional(),
  amd: z.string().exactOptional(),
  awsNitro: z.string().exactOptional(),
  nvidiaDevice: z.string().exactOptional(),
  nvidiaRim: z.string().exactOptional(),
});

/**
 * The roots of a verifier process as it was configured: the vendors', unless a root of the software TEE or generated
 * roots in place of the vendors' were given, each of which makes it a stand-in that must refuse a real network.
 *
 * @param software PEM of the root of a software TEE
 * @param hardware JSON: PEM of generated roots by vendor; then no vendor's root counts
 */
export function verifierRoots({
  software,
  hardware,
}: {
  readonly software?: string | undefined;
  readonly hardware?: string | undefined;
}): RootSet {
  if (hardware === undefined) return software === undefined ? productionRoots() : rootSetWithDevRoot(software);
  const pems = zDevRoots.safeParse(parseJson(hardware)).data;
  if (pems === undefined) throw notARoot('JSON of PEM certificates by vendor');
  return devHardwareRoots({ ...pems, ...(software === undefined ? {} : { 'software-dev': software }) });
}

export const pinnedRoots = (roots: RootSet, name: RootName): readonly string[] => roots.byName.get(name) ?? [];

function devCertificate(pem: string): Certificate {
  const certificate = oneCertificate(pem);
  const { commonName, organisation } = certificate;
  if ([commonName, organisation].some((name) => name.includes('DEV ONLY'))) return certificate;
  throw notARoot('a certificate whose name says DEV ONLY');
}

function oneCertificate(pem: string): Certificate {
  const [der, ...more] = parsePemChain(utf8(pem.endsWith('\n') ? pem : `${pem}\n`)) ?? [];
  const certificate = der && parseCertificate(der);
  if (!certificate || more.length > 0) throw notARoot('one PEM certificate');
  return certificate;
}

const notARoot = (expected: string): Error =>
  refuse('CONFIG_INVALID', { setting: 'root of the software TEE', expected });
