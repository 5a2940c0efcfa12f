import { composeHash, encodeCompose, zTeePolicy, type TeePolicy } from '@usufruct/attestation';
import { refuse } from '@usufruct/kernel';
import { HOST_SETTINGS, MEASURED_SETTINGS } from './settings.js';

export interface AppComposeRequest {
  readonly name: string;
  /** `registry/repository@sha256:…`: by its digest, which is thereby measured. */
  readonly image: string;
  readonly policy: TeePolicy;
  /** Of `MEASURED_SETTINGS`; the file is public. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of `HOST_SETTINGS`: the operator gives their values encrypted, and they are not measured. */
  readonly secrets: readonly string[];
}

const IMAGE = /^[a-z0-9][a-z0-9._/:-]{0,255}@sha256:[0-9a-f]{64}$/;

/**
 * The app compose of a runner under dstack: the file whose SHA-256 a guest measures. The same request gives the same
 * bytes. Refuses `INVALID_ARGUMENT` for an image without its digest and for a setting that is not where it belongs.
 */
export async function makeAppCompose(request: AppComposeRequest): Promise<{ file: Uint8Array; hash: string }> {
  const { name, image, settings, secrets } = request;
  if (!IMAGE.test(image)) throw invalid('image', 'repository@sha256:… in lower case');
  const unmeasured = Object.keys(settings).find((key) => !MEASURED_SETTINGS.includes(key));
  if (unmeasured !== undefined) throw invalid(unmeasured, `one of ${MEASURED_SETTINGS.join(', ')}`);
  const chosen = secrets.find((key) => !HOST_SETTINGS.includes(key));
  if (chosen !== undefined) throw invalid(chosen, `measured: only ${HOST_SETTINGS.join(', ')} may be the host's`);
  const policy = zTeePolicy.parse(request.policy);
  const file = encodeCompose({
    manifest_version: 2,
    name,
    runner: 'docker-compose',
    docker_compose_file: composeFile({ ...request, policy }),
    kms_enabled: false,
    gateway_enabled: false,
    public_logs: false,
    public_sysinfo: false,
    public_tcbinfo: true,
    no_instance_id: true,
    secure_time: true,
    allowed_envs: secrets.toSorted(),
  });
  return { file, hash: await composeHash(file) };
}

/** JSON is YAML: nothing here needs a writer of YAML, and no value can be read as another type. */
function composeFile({ image, policy, settings, secrets }: AppComposeRequest): string {
  const hasGpu = policy.nvidia !== undefined;
  const environment = {
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, escaped(value)])),
    ...Object.fromEntries(secrets.map((name) => [name, `\${${name}}`])),
    TEE_DEVICE: 'dstack',
    TEE_GPU: hasGpu ? 'nvidia' : 'none',
    TEE_POLICY_FILE: '/etc/usufruct/tee-policy.json',
    IMAGE_DIGEST: image.slice(image.indexOf('@') + 1),
  };
  const gpus = {
    deploy: { resources: { reservations: { devices: [{ driver: 'nvidia', count: 'all', capabilities: ['gpu'] }] } } },
  };
  return JSON.stringify({
    services: {
      runner: {
        image,
        restart: 'always',
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        // A process that V8 ends over a hostile document has that document in its memory.
        ulimits: { core: 0 },
        ports: ['8080:8080'],
        volumes: ['/var/run/dstack.sock:/var/run/dstack.sock', 'data:/data'],
        tmpfs: ['/tmp'],
        configs: [{ source: 'tee-policy', target: '/etc/usufruct/tee-policy.json' }],
        environment: Object.fromEntries(Object.entries(environment).toSorted(([a], [b]) => (a < b ? -1 : 1))),
        ...(hasGpu ? gpus : {}),
      },
    },
    configs: { 'tee-policy': { content: escaped(JSON.stringify(policy)) } },
    volumes: { data: {} },
  });
}

/** Compose reads `$` as the start of a variable, whose value would be the host's. */
const escaped = (text: string): string => text.replaceAll('$', '$$$$');

const invalid = (field: string, expected: string): Error => refuse('INVALID_ARGUMENT', { field, expected });
