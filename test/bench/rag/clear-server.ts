/**
 * The same retrieval in the clear: a process with the runner's own documents, index and answers, asked by plain JSON over
 * HTTP. No key, no session, no receipt, no payment. `node clear-server.ts FILE…` says its address on stdout when it is ready.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { basename } from 'node:path';
import type { ContributionId } from '@usufruct/kernel';
import { toWireJson } from '@usufruct/protocol';

type Rag = typeof import('../../../apps/enclave-runner/src/compute/rag/index.js');
const built = new URL('../../../apps/enclave-runner/dist/compute/rag/index.js', import.meta.url);
const { answerQuestion, Corpus, IndexProcess, ingestDocument } = (await import(built.href)) as Rag;

const documents = [];
for (const [i, path] of process.argv.slice(2).entries()) {
  const fileName = basename(path);
  const document = await ingestDocument({ fileName, bytes: readFileSync(path) }, { sketchKey: Buffer.alloc(8, 1) });
  const contributionId = `0x${(i + 1).toString(16).padStart(64, '0')}` as ContributionId;
  documents.push({ contributionId, fileName, document });
}
const corpus = await Corpus.open(documents, { maker: new IndexProcess() });

const answerTo = async (request: IncomingMessage): Promise<string> => {
  const { text, topK } = JSON.parse(await readText(request)) as { text: string; topK: number };
  return toWireJson(await answerQuestion(corpus, text, topK));
};
const server = createServer(async (request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(await answerTo(request));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => server.close());
