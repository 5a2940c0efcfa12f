import { verify } from '@usufruct/crypto';
import { fromBase64, toUsufructError, type DaoId, type WireError } from '@usufruct/kernel';
import { parseAnswer, ReleaseRequestBcs, TAGS, zAnomalies, type Anomaly } from '@usufruct/protocol';
import { requestJson } from './api/http.js';
import type { ClientContext } from './context.js';
import { firstGood, holderName, locateMembers } from './holders.js';

/** What one key holder says that runners asked it for and no job can need. */
export interface HolderAnomalies {
  readonly member: number;
  /** The newest first; each was asked for by the runner's key, by its own signature. */
  readonly anomalies: readonly Anomaly[];
  /** How many more it named without such a signature: anybody could have made them up. */
  readonly unproven: number;
  readonly error: WireError | null;
}

/**
 * Ask every key holder of a DAO which runners it has refused as anomalies, for members that decide about measurements and
 * runners. It proves that each runner's key asked for something under that job; what was wrong about it is the holder's
 * word, and a holder can keep silent. One that is away does not hide the others.
 */
export async function anomaliesOf(context: ClientContext, daoId: DaoId): Promise<HolderAnomalies[]> {
  const { chain } = context;
  const [{ chainId }, { policy }] = await Promise.all([chain.info(), chain.dao(daoId)]);
  const set = await chain.holderSet(policy.holderSetId);
  const urls = await locateMembers(context, set);
  return Promise.all(
    set.members.map(async (_, member): Promise<HolderAnomalies> => {
      try {
        const said = await firstGood(urls[member] ?? [], holderName(member), (url) =>
          askOne(context, url, daoId, holderName(member)),
        );
        const proven = await Promise.all(said.map((one) => isRunners(one, chainId, daoId)));
        const anomalies = said.filter((_one, i) => proven[i]);
        return { member, anomalies, unproven: said.length - anomalies.length, error: null };
      } catch (error) {
        return { member, anomalies: [], unproven: 0, error: toUsufructError(error).toWire() };
      }
    }),
  );
}

async function askOne({ fetch }: ClientContext, url: string, daoId: DaoId, upstream: string): Promise<Anomaly[]> {
  const body = await requestJson({ fetch, url: `${url}/v1/anomalies?daoId=${daoId}`, upstream });
  return parseAnswer(zAnomalies, body, upstream).anomalies;
}

/** The key that is named signed a request for the job that is named, on this chain. */
async function isRunners(anomaly: Anomaly, chainId: string, daoId: DaoId): Promise<boolean> {
  const message = fromBase64(anomaly.request);
  const publicKey = fromBase64(anomaly.runnerSigningKey);
  const signature = fromBase64(anomaly.signature);
  try {
    const asked = ReleaseRequestBcs.parse(message);
    const isSame = anomaly.daoId === daoId && asked.chainId === chainId && asked.jobId === anomaly.jobId;
    return isSame && (await verify({ publicKey, domainTag: TAGS.releaseRequest, message, signature }));
  } catch {
    return false;
  }
}
