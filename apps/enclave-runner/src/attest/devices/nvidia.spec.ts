import { describe, expect, it } from '@jest/globals';
import { fromUtf8, toHex } from '@usufruct/kernel';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { directory, gpus, servers, tools, useHardware } from '../../../../../test/support/hardware-world.js';
import { bytes } from '../../../../../test/support/tdx-world.js';
import { executable, writeNvidiaTools } from '../../../../../test/support/tee-guest.js';
import { nvidiaTools, readMode } from './nvidia.js';
import { runTool } from './run-tool.js';

useHardware();

describe("NVIDIA's tools", () => {
  const NONCE = bytes(4);
  const printing = (name: string, text: string) =>
    nvidiaTools({
      nvattest: executable(join(directory, name), `process.stdout.write(${JSON.stringify(text)})`),
      nvidiaSmi: tools.nvidiaSmi,
    });

  it('pass the exact bytes of each GPU on', async () => {
    const evidence = await nvidiaTools(tools).evidence(NONCE);
    expect(evidence).toHaveLength(2);
    expect(toHex(evidence[0]!.subarray(0, 36))).toBe(`11e001ff${toHex(NONCE)}`);
    expect(fromUtf8(evidence[1]!.subarray(-27))).toBe('\n-----END CERTIFICATE-----\n');
  });

  it.each([
    ['ON', 'OFF', 'cc-on'],
    ['OFF', 'OFF', 'cc-off'],
    ['ON', 'ON', 'cc-devtools'],
  ])('CC %s and DevTools %s is %s', async (cc, devtools, mode) => {
    const folder = mkdtempSync(join(directory, 'smi-'));
    const made = await writeNvidiaTools(folder, gpus, { cc, devtools });
    servers.push(made.server);
    expect(await nvidiaTools(made).mode()).toBe(mode);
  });

  it('are not believed when they say something new', async () => {
    const folder = mkdtempSync(join(directory, 'smi-'));
    const made = await writeNvidiaTools(folder, gpus, { cc: 'ON (SIMULATED)', devtools: 'OFF' });
    servers.push(made.server);
    await expect(nvidiaTools(made).mode()).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  });

  it('are refused with evidence over another nonce', async () => {
    const folder = mkdtempSync(join(directory, 'smi-'));
    const stale = { evidence: () => gpus[0]!.evidence(bytes(8)) };
    const made = await writeNvidiaTools(folder, [stale]);
    servers.push(made.server);
    await expect(nvidiaTools(made).evidence(NONCE)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  });

  it.each([
    ['nothing', ''],
    ['text', 'GPU 0: Ok'],
    ['an error code', '{"result_code":3,"evidences":[]}'],
    ['no GPU', '{"result_code":0,"evidences":[]}'],
    ['evidence that is none', '{"result_code":0,"evidences":[{"evidence":"AAAA","certificate":"AAAA"}]}'],
  ])('are refused with %s', async (name, text) => {
    const tool = printing(`nvattest-${name.replaceAll(' ', '-')}`, text);
    await expect(tool.evidence(NONCE)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  });
});

describe('what nvidia-smi prints', () => {
  it.each([
    ['CC status: ON', 'DevTools Mode: OFF', 'cc-on'],
    ['\n  CC status:  ON \r\n', '\tDevTools Mode: OFF\n\n', 'cc-on'],
    ['CC status: OFF', 'DevTools Mode: OFF', 'cc-off'],
    ['CC status: ON', 'DevTools Mode: ON', 'cc-devtools'],
  ])('%j and %j is %s', (feature, devtools, mode) => {
    expect(readMode('nvidia-smi', feature, devtools)).toBe(mode);
  });

  it.each([
    ['nothing', '', ''],
    ['another word', 'CC status: PARTIAL', 'DevTools Mode: OFF'],
    ['a word on the next line', 'CC status:\nON', 'DevTools Mode: OFF'],
    ['more behind it', 'CC status: ON (pending)', 'DevTools Mode: OFF'],
  ])('%s is refused', (_name, feature, devtools) => {
    const refused = expect.objectContaining({ code: 'UPSTREAM_INVALID' });
    expect(() => readMode('nvidia-smi', feature, devtools)).toThrow(refused);
  });

  it('is read in time proportional to its length', () => {
    // With white space over lines 16 KiB, as much as is taken of it, took half a second: these would take hours.
    const lines = `${'\n'.repeat(1024 * 1024)}CC status:${'\n'.repeat(1024 * 1024)}`;
    const { user } = process.cpuUsage();
    expect(() => readMode('nvidia-smi', lines, lines)).toThrow();
    // A collector that runs meanwhile costs a few seconds.
    expect(process.cpuUsage().user - user).toBeLessThan(30_000_000);
  });
});

describe('a tool of this machine', () => {
  const LIMITS = { timeoutMs: 10_000, outputBytesAtMost: 1000 };
  const run = (name: string, code: string, limits: Partial<typeof LIMITS> = {}) =>
    runTool({ file: executable(join(directory, name), code), args: ['$(id)', ';'], ...LIMITS, ...limits });

  it('sees none of our settings, and its arguments as they are', async () => {
    process.env['RUNNER_WALLET_SECRET_FOR_TEST'] = 'secret';
    const printed = await run('env', 'console.log(JSON.stringify([Object.keys(process.env), process.argv.slice(2)]))');
    delete process.env['RUNNER_WALLET_SECRET_FOR_TEST'];
    const [names, args] = JSON.parse(fromUtf8(printed)) as [string[], string[]];
    expect(names.toSorted()).toEqual(['LC_ALL', 'PATH']);
    expect(args).toEqual(['$(id)', ';']);
  });

  it('ends when it takes too long, even if its child holds the pipe', async () => {
    const code = `require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit' })`;
    await expect(run('slow', code, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { reason: 'no answer after 500 ms' },
    });
  });

  it.each([
    ['prints too much', `process.stdout.write('x'.repeat(100000))`, 'more than 1000 bytes'],
    ['fails', 'process.exit(3)', 'ended with status 3'],
    ['is killed', `process.kill(process.pid, 'SIGKILL')`, 'ended with a signal'],
  ])('is refused when it %s', async (name, code, reason) => {
    await expect(run(name.replaceAll(' ', '-'), code)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { reason },
    });
  });

  it('is refused when it is not there', async () => {
    await expect(runTool({ file: join(directory, 'nothing'), args: [], ...LIMITS })).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
  });
});
