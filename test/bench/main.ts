/** `npm run -s bench`: envelope and GraphQL. Needs `npm run build`, which the script does first. */
import { startTestSystem } from '../support/system.ts';
import { benchEnvelope } from './envelope.ts';
import { benchGraphql } from './graphql.ts';
import { report, type BenchPart } from './report.ts';

const parts: BenchPart[] = [await benchEnvelope()];
const system = await startTestSystem({ durable: true });
try {
  parts.push(await benchGraphql(system));
} finally {
  await system.stop();
}
process.stdout.write(`${JSON.stringify(report('main', parts))}\n`);
