export { ComputeModule } from './compute.module.js';
export { QuestionType } from './compute.types.js';
export { QuestionRelay } from './question-relay.js';
