export { ComputeModule } from './compute.module.js';
export { QuestionType } from './compute.types.js';
