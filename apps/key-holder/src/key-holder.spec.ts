import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AppraisalDesk, productionRoots } from '@usufruct/attestation';
import { verifyConsistency } from '@usufruct/crypto';
import { fromBase64, fromHex, toBase64, type ContributionId, type Digest } from '@usufruct/kernel';
import { deriveId, LIMITS, TreeHeadBcs, type ReleaseAnswer } from '@usufruct/protocol';
import { idOf, seededRandom } from '@usufruct/testing';
import { anchorTreeHeads } from './log/anchor.js';
import { countersign } from './payout/countersign.js';
import { startKeyHolder } from './start.js';
import {
  JOB,
  SET,
  secretOf,
  silent,
  runner,
  chain,
  clock,
  folder,
  holders,
  dealt,
  start,
  call,
  depositOf,
  deposit,
  register,
  challengeFrom,
  releaseFrom,
  openReleased,
  useHolders,
} from './testing/three-holders.js';

useHolders();

describe('restart', () => {
  it('after a kill the shares, the log and used challenges are still there', async () => {
    await deposit(0);
    register();
    const before = (await deposit(0)).body;
    await releaseFrom(holders.slice(0, 1));
    const head = (await call<ReleaseAnswer['head']>(holders[0]!, '/v1/log/head')).body;
    const challenge = await challengeFrom(holders[0]!);
    const bundle = await runner.evidence([challenge], JOB);
    const contributionIds = [dealt.manifest.contributionId];
    const request = await runner.asks({ jobId: JOB, challenge, bundle, contributionIds });
    await call(holders[0]!, '/v1/releases', request);
    // The first process is not stopped: its database is as a kill would leave it.
    const again = await start(1);
    expect(again.holder.log.size).toBe(2);
    expect((await call(again, '/v1/releases', request)).body.code).toBe('CHALLENGE_USED');
    expect((await call(again, '/v1/shares', await depositOf(again, dealt.shares[0]!))).body).toEqual(before);
    const [released] = (await releaseFrom([again])) as [Awaited<ReturnType<typeof releaseFrom>>[0]];
    expect(await openReleased(released)).toEqual(dealt.shares[0]);
    const { body } = await call<{ proof: string[] }>(again, '/v1/log/consistency?first=1&second=3');
    const newer = TreeHeadBcs.parse(fromBase64(released.reply.body.head.treeHead));
    const older = TreeHeadBcs.parse(fromBase64(head.treeHead));
    const claim = { oldSize: 1, newSize: 3, oldRoot: fromHex(older.rootHash), newRoot: fromHex(newer.rootHash) };
    expect(verifyConsistency({ ...claim, proof: body.proof.map((hash) => fromBase64(hash)) })).toBe(true);
  });

  it('from an old backup it refuses until it has all of its log again: releases, openings, epochs, and its head', async () => {
    await deposit(0);
    register();
    await releaseFrom(holders.slice(0, 1));
    const { keys } = holders[0]!.holder;
    const data = join(folder, 'holder-1');
    const [old, whole] = [join(folder, 'old'), join(folder, 'whole')];
    await holders[0]!.close();
    cpSync(data, old, { recursive: true });
    holders[0] = await start(1);
    await releaseFrom(holders.slice(0, 1));
    await holders[0].close();
    cpSync(data, whole, { recursive: true });
    const restore = async (backup: string): Promise<void> => {
      rmSync(data, { recursive: true });
      cpSync(backup, data, { recursive: true });
      holders[0] = await start(1);
    };
    const anchored = (size: number, rootHash: Digest): void => {
      const data_ = { type: 'TreeHeadAnchored' as const, holderSetId: SET, member: 0, treeSize: size, rootHash };
      chain.putEvent(data_, keys.operator.address);
    };
    const asked = async () => (await releaseFrom(holders.slice(0, 1)))[0]!.reply;

    await restore(whole);
    const head = TreeHeadBcs.parse(
      fromBase64((await call<ReleaseAnswer['head']>(holders[0], '/v1/log/head')).body.treeHead),
    );
    expect(head.treeSize).toBe(2);
    anchored(2, head.rootHash);
    await holders[0].close();

    await restore(old);
    const refused = await asked();
    expect([refused.status, refused.body.code]).toEqual([503, 'LOG_BEHIND']);
    expect(refused.body.details).toMatchObject({ anchored: '2', here: '1' });
    expect(holders[0].holder.log.size).toBe(1);
    expect((await call(holders[0], '/readyz')).body.code).toBe('LOG_BEHIND');
    expect((await call(holders[0], '/healthz')).status).toBe(200);
    await anchorTreeHeads(holders[0].holder);
    expect(chain.executed).toEqual([]);
    const signature = toBase64(new Uint8Array(64));
    const opening = { receiptDigest: idOf('receipt'), sealedOpening: 'AAAA' };
    expect((await call(holders[0], '/v1/openings', opening)).body.code).toBe('LOG_BEHIND');
    const statement = { statement: 'AAAA', settlerSignature: signature, receipts: [], sealedSeed: 'AAAA' };
    const countersigned = countersign(holders[0].holder, statement as never);
    await expect(countersigned).rejects.toMatchObject({ code: 'LOG_BEHIND' });
    // What it has it still takes, shows and destroys.
    expect((await deposit(0)).status).toBe(200);
    expect((await call(holders[0], '/v1/log/head')).status).toBe(200);
    await holders[0].close();

    await restore(whole);
    expect((await call(holders[0], '/readyz')).status).toBe(200);
    expect((await asked()).body.entries).toMatchObject([{ decision: 'RELEASED' }]);
    expect(holders[0].holder.log.size).toBe(3);
  });

  it('refuses data of another identity', async () => {
    await holders[0]!.close();
    const other = startKeyHolder({
      host: '127.0.0.1',
      port: 0,
      dataDir: join(folder, 'holder-1'),
      holderSecret: secretOf(9),
      allowedOrigins: [],
      anchorIntervalMs: 60_000,
      standIns: [],
      chain,
      desk: new AppraisalDesk({ roots: productionRoots() }),
      clock,
      random: seededRandom('x'),
      logger: silent,
    });
    await expect(other).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'HOLDER_SECRET' } });
  });
});

describe('HTTP', () => {
  it('says who it is and which parts are stand-ins', async () => {
    const { body } = await call(holders[0]!, '/v1/identity');
    const { keys } = holders[0]!.holder;
    expect(body).toEqual({
      signingPublicKey: toBase64(keys.signing.publicKey),
      sealingPublicKey: toBase64(keys.sealing.publicKey),
      operator: keys.operator.address,
      chainId: 'local:test',
      standIns: ['local chain'],
    });
  });

  it('lets the portal in and no other site', async () => {
    const { url } = holders[0]!;
    const preflight = (origin: string) =>
      fetch(`${url}/v1/shares`, { method: 'OPTIONS', headers: { origin, connection: 'close' } });
    const allowed = await preflight('http://portal.local');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('http://portal.local');
    expect((await preflight('http://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    ['/v1/releases', '{', 'MALFORMED_REQUEST', 400],
    ['/v1/releases', '{}', 'INVALID_ARGUMENT', 400],
    ['/v1/challenges', '{"for":"release","jobId":"0x1"}', 'INVALID_ARGUMENT', 400],
    ['/v1/nothing', '{}', 'NOT_FOUND', 404],
    ['/v1/shares', 'x'.repeat(LIMITS.httpBodyBytes + 1), 'REQUEST_TOO_LARGE', 413],
  ])('%s with a bad body', async (path, body, code, status) => {
    const response = await fetch(`${holders[0]!.url}${path}`, {
      method: 'POST',
      body,
      headers: { connection: 'close' },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  it('is healthy without the chain, and ready only with it', async () => {
    chain.isDown = true;
    expect((await call(holders[0]!, '/healthz')).status).toBe(200);
    expect((await call(holders[0]!, '/readyz')).status).toBe(503);
    chain.isDown = false;
    expect((await call(holders[0]!, '/readyz')).status).toBe(200);
  });
});

it('(the manifest builder derives ids as clients do)', () => {
  const { datasetId, owner, salt, contributionId } = dealt.manifest;
  expect(contributionId).toBe(deriveId<ContributionId>('contribution', datasetId, owner, salt));
});
