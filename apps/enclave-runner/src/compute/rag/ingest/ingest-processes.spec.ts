import { beforeEach, describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PARSE_LIMITS } from '../parse/types.js';
import type { IngestJob } from './ingest-bytes.js';
import { permissionsFor } from '../process/permissions.js';
import { hostOf, IngestProcesses, PARSERS, startHost, type IngestHost } from './ingest-processes.js';

const job = (fileName: string, text: string): IngestJob => ({
  file: { fileName, bytes: utf8(text) },
  limits: PARSE_LIMITS,
  sketchKey: new Uint8Array(8),
});
const GOOD = { reply: expect.objectContaining({ text: 'text' }) };
const TOO_COMPLEX = { refusal: { code: 'DOCUMENT_TOO_COMPLEX', details: { limit: '512 MiB of memory' } } };
/** Formatting elements that are reopened in every paragraph keep a parser busy for many seconds. */
const ENDLESS = `<p>${Array.from({ length: 20_000 }, (_, i) => `<b id=${i}>`).join('')}</p>${'<p>x</p>'.repeat(20_000)}`;

const fail = (message: string): never => {
  throw new Error(message);
};

let hosts: IngestHost[];
let processes: IngestProcesses;
beforeEach(() => {
  hosts = [];
  processes = new IngestProcesses((heapMb) => {
    const host = startHost(heapMb);
    hosts.push(host);
    return host;
  });
});

describe('processes that read documents', () => {
  it('are kept for the next one', async () => {
    expect(await processes.run(job('a.txt', 'text'))).toEqual(GOOD);
    expect(await processes.run(job('b.txt', 'text'))).toEqual(GOOD);
    expect(hosts).toHaveLength(1);
    expect(hosts[0]!.process.spawnargs).toEqual(expect.arrayContaining(permissionsFor(PARSERS)));
  });

  it('see nothing of the runner, write no file, start no program, and make no code of text', () => {
    const can = `
      const fs = require('node:fs');
      const can = (run) => { try { run(); return 'yes'; } catch (error) { return error.code ?? error.name; } };
      console.log(JSON.stringify([
        ...['environ', 'mem', 'cmdline'].map((of) => can(() => fs.openSync('/proc/' + process.ppid + '/' + of))),
        can(() => fs.readFileSync('/etc/hostname')), can(() => fs.readFileSync('package-lock.json')),
        can(() => fs.writeFileSync('left-behind', '')), can(() => require('node:child_process').spawnSync('true')),
        can(() => process.dlopen({}, 'a.node')), can(() => eval('1')), can(() => new Function('1')),
      ]));`;
    const inThread = `new (require('node:worker_threads').Worker)(${JSON.stringify(can)}, { eval: true });`;
    const said = execFileSync(process.execPath, [...permissionsFor(PARSERS), '-e', inThread], { encoding: 'utf8' });
    const files = Array.from({ length: 7 }, () => 'ERR_ACCESS_DENIED');
    expect(JSON.parse(said)).toEqual([...files, 'ERR_DLOPEN_DISABLED', 'EvalError', 'EvalError']);
  });

  it('are no reason to refuse a document when one dies of what another document has left there', async () => {
    await processes.run(job('a.txt', 'text'));
    hosts[0]!.process.kill('SIGKILL');
    expect(await processes.run(job('b.txt', 'text'))).toEqual(GOOD);
    expect(hosts).toHaveLength(2);
  });

  it('are not given a document again that a new one died of', async () => {
    const asking = processes.run(job('a.html', ENDLESS));
    while (!hosts[0]!.isReady) await sleep(5);
    hosts[0]!.process.kill('SIGKILL');
    expect(await asking).toEqual(TOO_COMPLEX);
    expect(hosts).toHaveLength(1);
  });

  it.each([
    ['cannot be started', () => spawn('/nowhere', { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })],
    ['find no memory', (): never => fail('spawn ENOMEM')],
    ['end before they begin', () => spawn('true', { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })],
  ])('are away where they %s: that is no document’s fault, and may pass', async (_how, start) => {
    const broken = new IngestProcesses((heapMb) => hostOf(start(), heapMb));
    await expect(broken.run(job('a.txt', 'text'))).rejects.toMatchObject({ code: 'RUNNER_UNAVAILABLE' });
  });

  it('end with the runner, also in the middle of what never ends', async () => {
    const asking = processes.run(job('a.html', ENDLESS));
    while (!hosts[0]!.isReady) await sleep(5);
    await sleep(500);
    const { process } = hosts[0]!;
    process.disconnect();
    await once(process, 'exit');
    expect(await asking).toEqual(TOO_COMPLEX);
  });
});

describe('a process that was taken over', () => {
  it.each([
    ['nothing', 'null'],
    [
      'a list of billions in a few bytes',
      `{ reply: { ...REPLY, chunks: Object.assign([], { length: 2 ** 32 - 1 }) } }`,
    ],
  ])('costs its document when it says %s', async (_what, said) => {
    const script = `const REPLY = { format: 'txt', metadata: {}, notRead: [], indexedChars: 4, text: 'text', chunks: [],
      sketches: new Uint32Array() }; process.on('message', () => process.send({ answer: ${said}, isThreadSound: true }));`;
    const child = spawn(process.execPath, ['-e', script], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const ended = once(child, 'exit');
    const taken = new IngestProcesses((heapMb) => hostOf(child, heapMb));
    expect(await taken.run(job('a.txt', 'text'))).toMatchObject({ refusal: { code: 'DOCUMENT_TOO_COMPLEX' } });
    await ended;
  });
});
