import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { createDevPki, DEV_PKI_FILES, loadDevPki } from './dev-pki.js';
import { measureFiles } from './measure.js';
import { SoftwareTee } from './software-tee.js';
import { X509Certificate } from './x509.js';

const NOW_MS = Date.UTC(2026, 0, 1);

describe('measureFiles', () => {
  const a = { path: 'a.js', bytes: utf8('one') };
  const b = { path: 'dir/b.js', bytes: utf8('two') };

  it('is SHA-384 over length-prefixed paths and contents in order of the paths', async () => {
    const prefixed = (text: string): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return Buffer.concat([length, Buffer.from(text)]);
    };
    const message = Buffer.concat(['a.js', 'one', 'dir/b.js', 'two'].map(prefixed));
    const expected = createHash('sha384').update(message).digest('hex');
    expect(await measureFiles([b, a])).toBe(expected);
    expect(await measureFiles([a, b])).toBe(expected);
  });

  it('changes with every name, byte and file', async () => {
    const measurements = await Promise.all([
      measureFiles([a, b]),
      measureFiles([a]),
      measureFiles([{ ...a, path: 'c.js' }, b]),
      measureFiles([{ ...a, bytes: utf8('onf') }, b]),
      measureFiles([{ path: 'a.jso', bytes: utf8('ne') }, b]),
    ]);
    expect(new Set(measurements).size).toBe(measurements.length);
  });

  it.each([[[]], [[a, a]]])('refuses no files and a path given twice', async (files) => {
    await expect(measureFiles(files)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('development PKI', () => {
  it('says DEV ONLY in every name and keeps no issuing key', async () => {
    const files = await createDevPki(NOW_MS);
    for (const pem of [files.root, files.intermediate, files.leaf]) {
      const { subject, issuer } = new X509Certificate(pem);
      expect([subject, issuer].every((name) => name.endsWith('DEV ONLY'))).toBe(true);
    }
    expect(Object.keys(files).sort()).toEqual(Object.keys(DEV_PKI_FILES).sort());
    expect(Object.values(files).filter((pem) => pem.includes('PRIVATE KEY'))).toHaveLength(1);
  });

  it('is the same after it was written and read', async () => {
    const files = await createDevPki(NOW_MS);
    const pki = await loadDevPki(files);
    expect(pki.rootPem).toBe(files.root);
    expect(pki.chain).toHaveLength(3);
  });

  it('refuses files that are not a PKI', async () => {
    const files = await createDevPki(NOW_MS);
    const broken = [{ leafKey: files.leaf }, { root: 'nonsense' }, { leaf: '' }];
    for (const change of broken) {
      await expect(loadDevPki({ ...files, ...change })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
  });
});

describe('SoftwareTee', () => {
  it('refuses a measurement and report data of other lengths', async () => {
    const pki = await loadDevPki(await createDevPki(NOW_MS));
    const options = { pki, measurement: 'ab'.repeat(32) };
    await expect(SoftwareTee.create(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const device = await SoftwareTee.create({ pki, measurement: 'ab'.repeat(48) });
    await expect(device.quote(new Uint8Array(32))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await device.measurement()).toBe('ab'.repeat(48));
    expect(device.standIn).toBe(true);
  });
});
