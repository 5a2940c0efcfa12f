import { MODEL_EVENT_PREFIX, type TeeDevice } from '@usufruct/attestation';
import { refuse } from '@usufruct/kernel';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MeasuredModel } from '../attest/devices/hardware-device.js';

/**
 * DEV ONLY: a TEE device in software. The package is loaded here and nowhere else, and only when the configuration
 * asks for it. Models are measured as files are: a DAO that approved the code with another model, or with none, refuses it. Refuses `CONFIG_INVALID` when its PKI cannot be read.
 */
export async function openSoftwareTee(
  pkiDirectory: string,
  models: readonly MeasuredModel[] = [],
): Promise<{ device: TeeDevice; banner: string }> {
  const { DEV_BANNER, DEV_PKI_FILES, loadDevPki, measureFiles, SoftwareTee } = await importSoftwareTee();
  const read = async (file: string): Promise<string> => {
    try {
      return await readFile(join(pkiDirectory, file), 'utf8');
    } catch (cause) {
      throw refuse('CONFIG_INVALID', { setting: 'TEE_DEV_DIR', expected: `a directory with ${file}` }, cause);
    }
  };
  const pki = await loadDevPki({
    root: await read(DEV_PKI_FILES.root),
    intermediate: await read(DEV_PKI_FILES.intermediate),
    leaf: await read(DEV_PKI_FILES.leaf),
    leafKey: await read(DEV_PKI_FILES.leafKey),
  });
  const events = models.map(({ role, sha256 }) => ({ name: `${MODEL_EVENT_PREFIX}${role}`, payload: sha256 }));
  const modelFiles = events.map(({ name, payload }) => ({ path: name, bytes: payload }));
  const measurement = await measureFiles([...(await runnerFiles()), ...modelFiles]);
  return { device: await SoftwareTee.create({ pki, measurement, events }), banner: DEV_BANNER };
}

/** An image for hardware has no software TEE in it. */
async function importSoftwareTee(): Promise<typeof import('@usufruct/attestation-dev')> {
  try {
    return await import('@usufruct/attestation-dev');
  } catch (cause) {
    throw refuse(
      'CONFIG_INVALID',
      { setting: 'TEE_DEVICE', expected: 'a device of this build: it has no software TEE' },
      cause,
    );
  }
}

/** Our own code that this process runs. Packages of others are pinned by the lock file, which is not measured here. */
export const MEASURED_LIBRARIES = [
  'kernel',
  'protocol',
  'crypto',
  'attestation',
  'attestation-dev',
  'consent',
  'ledger',
  'retrieval',
  'chain',
  'seal',
  'service',
  'walrus',
] as const;

async function runnerFiles(): Promise<{ path: string; bytes: Uint8Array }[]> {
  const own = dirname(dirname(fileURLToPath(import.meta.url)));
  const libraries = MEASURED_LIBRARIES.map((name) => dirname(fileURLToPath(import.meta.resolve(`@usufruct/${name}`))));
  const roots = [own, ...libraries].map((root, i) => ({
    root,
    name: i === 0 ? 'enclave-runner' : MEASURED_LIBRARIES[i - 1]!,
  }));
  const files = await Promise.all(roots.map(({ root, name }) => filesUnder(root, name)));
  return files.flat();
}

async function filesUnder(root: string, name: string): Promise<{ path: string; bytes: Uint8Array }[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const code = entries.filter((entry) => entry.isFile() && /(?<!\.spec|\.d)\.(js|ts)$/.test(entry.name));
  return Promise.all(
    code.map(async (entry) => {
      const file = join(entry.parentPath, entry.name);
      return { path: `${name}/${relative(root, file).split(sep).join('/')}`, bytes: await readFile(file) };
    }),
  );
}
