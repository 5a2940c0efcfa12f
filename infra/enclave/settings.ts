/*
 * Every setting that the runner reads, by who decides about it (enclave.spec.ts: no other is read, and none is missing).
 * What is on none of these lists reaches no runner: `NODE_OPTIONS` and its like would run the host's code in the guest.
 */

/** Written into the app compose with their values, and thereby measured. */
export const MEASURED_SETTINGS: readonly string[] = [
  'SUI_NETWORK',
  'SUI_PACKAGE_ID',
  'SUI_CALL_PACKAGE_ID',
  'SUI_REGISTRY_ID',
  'SUI_COIN_TYPE',
  'SUI_GRPC_URL',
  'SUI_SPONSOR_URL',
  'SUI_SPONSOR_ADDRESS',
  'CHAIN_URL',
  'HOLDER_URLS',
  'SEAL_KEY_SERVERS',
  'AGGREGATOR_URL',
  'INDEX_MAX_MB',
  'GENERATOR',
  'GENERATOR_URL',
  'GENERATOR_MODEL',
  'GENERATOR_MODEL_PATH',
  'GENERATOR_TIMEOUT_MS',
  'GENERATOR_MAX_TOKENS',
  'EMBEDDER_URL',
  'EMBEDDER_MODEL',
  'EMBEDDER_MODEL_PATH',
  'EMBEDDER_QUESTION_PREFIX',
  'EMBEDDER_PASSAGE_PREFIX',
  'RERANKER_URL',
  'RERANKER_MODEL',
  'RERANKER_MODEL_PATH',
  'EPOCH_INTERVAL_MS',
  'EPOCH_LEAST_RECEIPTS',
  'EPOCH_LONGEST_WAIT_MS',
  'NRAS_URL',
];

/**
 * Taken from the host as they come, for they must stay secret: whose account is paid, and under whose accounts NVIDIA and
 * Seal's key servers are asked. None decides what the runner does with anybody's data.
 */
export const HOST_SETTINGS: readonly string[] = ['RUNNER_WALLET_SECRET', 'NRAS_SERVICE_KEY', 'SEAL_API_KEY'];

/** Decided by the app compose, the image or the runner's own defaults alone. */
export const FIXED_SETTINGS: readonly string[] = [
  'HOST',
  'PORT',
  'DATA_DIR',
  'INDEX_DIR',
  'TEE_DEVICE',
  'TEE_DEV_DIR',
  'TEE_GPU',
  'TEE_POLICY_FILE',
  'IMAGE_DIGEST',
  'DSTACK_SOCKET',
  'TSM_REPORT_DIR',
  'TSM_MEASUREMENTS_DIR',
  'TEE_EVENT_LOG_FILE',
  'SNP_CERTIFICATE_FILE',
  'NSM_HELPER',
  'NVATTEST',
  'NVIDIA_SMI',
];
