/**
 * Child of `store.ts`: contributes a file of the size given, made as it is read, and says on stdout what it took. The
 * peak is of this process alone: what a contributor's computer needs.
 */
import { argv, env, stdout } from 'node:process';
import { peakMb } from '../peak.ts';
import { newPlayer, type Endpoints } from '../../support/players.ts';
import { MIB } from './transfers.ts';

const endpoints: Endpoints = JSON.parse(env['ENDPOINTS'] ?? '');
const [datasetId, mib] = [argv[2], Number(argv[3])];
const block = crypto.getRandomValues(new Uint8Array(64 * 1024));

async function* file(): AsyncGenerator<Uint8Array, void> {
  for (let index = 0; index < (mib * MIB) / block.length; index++) {
    const piece = Uint8Array.from(block);
    new DataView(piece.buffer).setUint32(0, index);
    yield piece;
  }
}

const player = newPlayer(endpoints);
const startRssMb = peakMb();
const startedMs = performance.now();
const { parts } = await player.client.contributions.contribute({
  key: 'large',
  datasetId: datasetId as Parameters<typeof player.client.contributions.contribute>[0]['datasetId'],
  fileName: 'large.txt',
  sizeBytes: mib * MIB,
  source: file,
});
const seconds = Number(((performance.now() - startedMs) / 1_000).toFixed(2));
stdout.write(`${JSON.stringify({ fileMiB: mib, parts, peakRssMb: peakMb(), startRssMb, seconds })}\n`);
