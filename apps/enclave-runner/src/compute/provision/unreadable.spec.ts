import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '@usufruct/protocol';
import { ask, sealed } from '../../testing/asking.js';
import { Life } from '../../testing/life.js';
import { life, useRunner, world } from '../../testing/use-runner.js';
import { codeOf, TestClock } from '../../testing/values.js';

describe('the runner on a real local chain', () => {
  useRunner();

  it('ends a session whose every document stays damaged, instead of waiting out its term', async () => {
    const whole = new Map(world.blobs);
    // A contribution puts its part and then its manifest.
    for (const [id, bytes] of [...whole].filter((_, i) => i % 2 === 0)) {
      world.blobs.set(
        id,
        bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
      );
    }
    const { job, clientKey } = await world.fundJob();
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('BLOB_MISMATCH');
    expect(life.sessions.view(job)).toMatchObject({ state: 'failed', error: { code: 'BLOB_MISMATCH' } });
    for (const [id, bytes] of whole) world.blobs.set(id, bytes);
  });

  it('says that nothing can be read when the store has let every lease end, waits no longer than the session, and costs nothing', async () => {
    const clock = new TestClock();
    const late = await Life.begin(world, mkdtempSync(join(tmpdir(), 'ended-leases-')), { clock });
    const before = await world.balance(world.requester.address);
    const { job, clientKey } = await world.fundJob();
    const whole = new Map(world.blobs);
    world.blobs.clear();
    const asked = await sealed(late, job, clientKey, 'What is the price of beeswax?');
    const refused = codeOf(late.desk.ask(job.id, asked.request));
    // The store may only be away, so it is tried again; meanwhile whoever looks sees what it waits for.
    const waits = () => late.sessions.view(job).error?.code === 'BLOB_UNAVAILABLE';
    while (!waits()) await new Promise((done) => setTimeout(done, 20));
    expect(late.sessions.view(job)).toMatchObject({ state: 'attesting', documents: 0 });
    clock.offsetMs = LIMITS.sessionTermMs;
    expect(await refused).toBe('BLOB_UNAVAILABLE');
    expect(late.sessions.view(job)).toMatchObject({ state: 'failed', error: { code: 'BLOB_UNAVAILABLE' } });
    await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
    expect(await world.chain.job(job.id)).toMatchObject({ questionsSettled: 0, escrowUnits: 0n });
    expect(await world.balance(world.requester.address)).toBe(before);
    for (const [id, bytes] of whole) world.blobs.set(id, bytes);
    late.end();
  });

  it('goes on with what it has opened when the leases end in the middle of a job', async () => {
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    const whole = new Map(world.blobs);
    world.blobs.clear();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    for (const [id, bytes] of whole) world.blobs.set(id, bytes);
  });

  it('leaves out what cannot be opened, with its reason, and answers from the rest', async () => {
    const broken = await world.contribute('broken.pdf', 'this is no PDF');
    const tampered = await world.contribute('tampered.txt', 'The zeppelin hangar is blue.');
    const missing = await world.contribute('missing.txt', 'The zeppelin hangar is green.');
    const part = world.blobs.get(tampered.blobs[0]!)!;
    world.blobs.set(
      tampered.blobs[0]!,
      part.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
    );
    world.blobs.delete(missing.blobs[1]!);
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    expect(life.sessions.view(job).leftOut).toEqual(
      expect.arrayContaining([
        { contributionId: broken.id, code: 'FORMAT_BROKEN' },
        { contributionId: tampered.id, code: 'BLOB_MISMATCH' },
        { contributionId: missing.id, code: 'BLOB_UNAVAILABLE' },
      ]),
    );
  });

  it('waits where nothing opens and something of it may pass, and asks no second time for what stays unreadable', async () => {
    const broken = await world.contribute('broken too.pdf', 'this is no PDF either');
    const whole = new Map(world.blobs);
    world.blobs.clear();
    for (const id of broken.blobs) world.blobs.set(id, whole.get(id)!);
    const { job, clientKey } = await world.fundJob();
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    const answered = life.desk.ask(job.id, asked.request);
    while (life.sessions.view(job).error === null) await new Promise((done) => setTimeout(done, 5));
    const { state, error } = life.sessions.view(job);
    expect([state, error!.code, error!.details['reasons']]).toEqual([
      'attesting',
      'BLOB_UNAVAILABLE',
      'BLOB_UNAVAILABLE, FORMAT_BROKEN',
    ]);
    for (const [id, bytes] of whole) world.blobs.set(id, bytes);
    expect((await answered).state).toBe('settled');
    expect(life.sessions.view(job).leftOut).toContainEqual({ contributionId: broken.id, code: 'FORMAT_BROKEN' });
    const releases = world.holders[0]!.releases.filter(({ jobId }) => jobId === job.id);
    expect(releases.length).toBeGreaterThan(1);
    expect(releases.filter(({ contributionIds }) => contributionIds.includes(broken.id))).toHaveLength(1);
  });
});
