export { JobModule } from './job.module.js';
export { JobDispatch } from './job-dispatch.js';
export { JobEvents } from './job-events.js';
export { hasEnded } from './job-record.js';
export { JobService } from './job.service.js';
export { JobType } from './job.types.js';
export { RunnerClient } from './runner-client.js';
