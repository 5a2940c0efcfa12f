import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf, generateKeyPair, seal, sign } from '@usufruct/crypto';
import { systemRandom, toBase64, toHex32, toUsufructError, utf8, type QuestionId } from '@usufruct/kernel';
import { QuestionAuthorizationBcs, questionInfo, TAGS, type AskRequest } from '@usufruct/protocol';
import { anchorTreeHeads } from '../../apps/key-holder/src/log/anchor.js';
import { destroyRetired } from '../../apps/key-holder/src/erasure/sweep.js';
import { askForEgress } from '../../apps/enclave-runner/src/keys/egress.js';
import { leaseKey, makeLeasedKey } from '../../apps/enclave-runner/src/keys/leased-key.js';
import { releaseKeys } from '../../apps/enclave-runner/src/keys/release.js';
import type { ChainLine } from './chain-line.js';
import { Dice } from './dice.js';
import { FaultWorld, type Contributed, type Funded } from './fault-world.js';
import type { HolderProcess } from './holder-process.js';
import { Injector } from './injector.js';
import { Killed } from './life.js';
import type { RunningRunner } from './runner-process.js';

interface Pending {
  readonly job: Funded;
  readonly questionId: QuestionId;
  /** Sealed to one life's keys, and sent again as it is while that life lasts. */
  sealed: { readonly by: RunningRunner; readonly request: AskRequest } | null;
}
/** Of a question, each of which waits for its answer a while. */
const MOST_TRIES = 200;
type Deed = readonly [weight: number, kind: string, deed: () => boolean | Promise<boolean>];
const done = (work: Promise<void>): Promise<boolean> => work.then(() => true);
const said = (_done: unknown, isEvent: boolean): boolean => isEvent;

/** What the asker was told, for the check that the chain says so, too. */
export interface Told {
  readonly settled: { readonly jobId: Funded['id']; readonly questionId: QuestionId }[];
  readonly outcomes: Map<string, number>;
}

/** A random history of so many events, and then quiet until everything is decided. */
export class FaultRun {
  readonly told: Told = { settled: [], outcomes: new Map() };
  readonly jobs: Funded[] = [];
  #pending: Pending[] = [];
  #isApproved = true;
  /** What a holder that runs on an old backup will get back. */
  #lost: { readonly holder: HolderProcess; readonly whole: string; readonly size: number } | null = null;
  readonly behind: { readonly member: number; readonly before: number; readonly after: number }[] = [];

  private constructor(
    readonly dice: Dice,
    readonly injector: Injector,
    readonly world: FaultWorld,
  ) {}

  static async play(seed: string, events: number): Promise<FaultRun> {
    const dice = new Dice(seed);
    const injector = new Injector(new Dice(`${seed} messages`));
    const run = new FaultRun(dice, injector, await FaultWorld.start(dice, injector));
    while (injector.events < events) await run.#step();
    await run.#calm();
    return run;
  }

  async #step(): Promise<void> {
    const { world, dice } = this;
    world.clock.advance(dice.between(500, 5_000));
    for (const holder of world.holders) if (!holder.isUp && dice.chance(0.6)) await holder.start();
    const runner = await world.runner.start();
    const asking = this.#ask(runner);
    await sleep(dice.between(0, 40));
    await this.#happen();
    await asking;
    await this.#upkeep();
    world.noteClosed();
  }

  /** One thing that people, machines or attackers do. What came to nothing is no event. */
  async #happen(): Promise<void> {
    const { world, dice, injector } = this;
    const one = dice.pick(world.contributions.filter(({ isRetired }) => !isRetired));
    const holder = dice.pick(world.holders);
    const deeds = this.#deeds(one, holder);
    let left = dice.unit() * deeds.reduce((sum, [weight]) => sum + weight, 0);
    const [, kind, deed] = deeds.find(([weight]) => (left -= weight) < 0) ?? deeds[0]!;
    const isDone = await deed();
    if (isDone) injector.note(kind, `holder ${holder.options.member}, contribution ${one.id.slice(0, 8)}`);
  }

  /** Weight, name, and the deed, which says whether it came to anything. Kills count where they happen. */
  #deeds(one: Contributed, holder: HolderProcess): readonly Deed[] {
    const { world, dice } = this;
    const line = world.holderLines[holder.options.member]!;
    const noUse = ['DUO:0000007', 'dpv:AcademicResearch'];
    const { running } = world.runner;
    return [
      [6, 'kill', () => holder.isUp && said(holder.running.life.arm(dice.between(1, 40)), false)],
      [1, 'kill', () => said(holder.kill(), false)],
      [3, 'kill', () => said(running?.life.arm(dice.between(1, 40)), false)],
      one.grantId === null ? [5, 'grant', () => done(world.give(one))] : [5, 'revoke', () => done(world.revoke(one))],
      [1, 'grant-of-no-use', () => done(world.give(one, dice.pick(noUse)))],
      [1, 'short-grant', () => done(world.give(one, undefined, dice.between(1_000, 20_000)))],
      [1, 'retire', () => this.#retire()],
      this.#isApproved ? [1, 'withdraw', () => this.#approve(false)] : [9, 'approve', () => this.#approve(true)],
      [2, 'close-job', () => this.#close()],
      [1, 'expire-jobs', () => said(world.clock.advance(11 * 60_000), true)],
      [line.isBehind ? 6 : 2, 'stale-view', () => this.#turn(line, holder)],
      this.#isSkewed() ? [5, 'clock-set-right', () => this.#setClocks()] : [2, 'clock-skew', () => this.#skew()],
      [5, 'lease', () => this.#lease()],
      [3, 'output', () => this.#output()],
      [2, 'replay', () => this.#replay(holder)],
      [6, 'greedy-runner', () => this.#greedy()],
      [1, 'old-backup', () => this.#oldBackup(holder)],
    ];
  }

  /** A node that is behind does not show a holder what it lost: then nothing can, so that is no part of this. */
  #turn(line: ChainLine, holder: HolderProcess): boolean {
    line.isBehind = !line.isBehind && this.#lost?.holder !== holder;
    return line.isBehind;
  }

  #isSkewed(): boolean {
    return this.world.clocks.some(({ offsetMs }) => offsetMs !== 0);
  }
  /** Up to five minutes either way, which is five times what clocks may differ. */
  #skew(): boolean {
    const { world, dice } = this;
    dice.pick(world.clocks).offsetMs = dice.between(-5 * 60_000, 5 * 60_000);
    return true;
  }
  #setClocks(): boolean {
    for (const clock of this.world.clocks) clock.offsetMs = 0;
    return true;
  }

  /** A runner makes a key for an index, or leases one again that it made in some job. */
  async #lease(): Promise<boolean> {
    const { world, dice } = this;
    const { life, context } = await world.runner.start();
    const { id } = dice.chance(0.5) && this.jobs.length > 0 ? dice.pick(this.jobs.slice(-8)) : await this.#fund(1);
    const leasing = async (): Promise<void> => {
      const job = await context.chain.job(id);
      const work = { job, dao: await context.chain.dao(job.daoId) };
      if (this.#keys.length === 0 || dice.chance(0.4)) {
        this.#keys.push((await makeLeasedKey(context, work)).statement);
      }
      await leaseKey(context, work, dice.pick(this.#keys.slice(-3)));
    };
    await life.orDeath(leasing()).catch(() => undefined);
    return true;
  }
  readonly #keys: Uint8Array[] = [];

  /** A runner, or a copy of it that went another way, wants to let an output out. */
  async #output(): Promise<boolean> {
    const { world, dice } = this;
    const { life, context } = await world.runner.start();
    const known = this.jobs.filter(({ computation }) => computation === 'stats').slice(-2);
    const { id } = known.length > 0 && dice.chance(0.7) ? dice.pick(known) : await this.#fund(1, 'stats');
    const letOut = async (): Promise<void> => {
      const job = await context.chain.job(id);
      const work = { job, dao: await context.chain.dao(job.daoId) };
      await askForEgress(context, work, digestOf(utf8(`output ${dice.between(1, 3)} of ${id}`)));
    };
    await life.orDeath(letOut()).catch(() => undefined);
    return true;
  }

  async #fund(questions: number, computation: 'rag' | 'stats' = 'rag'): Promise<Funded> {
    const job = await this.world.fund(questions, computation);
    this.jobs.push(job);
    return job;
  }

  async #approve(isApproved: boolean): Promise<boolean> {
    await this.world.approve(isApproved);
    this.#isApproved = isApproved;
    return true;
  }

  /** A runner with good evidence and no conscience asks for all that there is, for any job. */
  async #greedy(): Promise<boolean> {
    const { world, dice } = this;
    if (this.jobs.length === 0) return false;
    const { life, context } = await world.runner.start();
    const wanted = world.contributions.map(({ id }) => ({ contributionId: id, holderSetId: world.holderSetId }));
    const { id } = dice.pick(this.jobs.slice(-8));
    const asking = async (): Promise<unknown> => {
      const job = await context.chain.job(id);
      return releaseKeys(context, job, await context.chain.dao(job.daoId), wanted);
    };
    await life.orDeath(asking()).catch(() => undefined);
    return true;
  }

  /** And another one in its place, so that there is always something to ask about. */
  async #retire(): Promise<boolean> {
    const { world, dice } = this;
    if (this.#lost !== null) return false;
    await this.#settleHolders();
    await world.retire(dice.pick(world.contributions.filter(({ isRetired }) => !isRetired)));
    // Contributing over bad lines is another test's.
    this.injector.isQuiet = true;
    await world.contribute(dice);
    this.injector.isQuiet = false;
    return true;
  }
  async #settleHolders(): Promise<void> {
    this.injector.isQuiet = true;
    for (const line of this.world.holderLines) line.isBehind = false;
    this.#setClocks();
    for (const holder of this.world.holders) {
      holder.kill();
      await holder.start();
    }
    this.injector.isQuiet = false;
  }

  async #close(): Promise<boolean> {
    const { world, dice } = this;
    const open = this.jobs.filter(({ id }) => world.store.read('job', id)?.state === 'funded');
    if (open.length === 0) return false;
    const { id } = dice.pick(open);
    // A settlement may come first.
    const { error } = await world.submit(world.requester, { kind: 'closeJob', jobId: id });
    return error === null;
  }

  /** Somebody sends a holder again what a runner had sent, to that holder or to another. */
  async #replay(holder: HolderProcess): Promise<boolean> {
    const { world, dice } = this;
    if (world.seen.length === 0 || !holder.isUp) return false;
    const { request } = dice.pick(world.seen.slice(-20));
    const url = `http://replay/v1/releases`;
    await holder.fetch(url, { method: 'POST', body: JSON.stringify(request) }).catch(() => undefined);
    return true;
  }

  /** A holder goes on from a copy that lacks what it has anchored since, and later gets back what it lost. */
  async #oldBackup(holder: HolderProcess): Promise<boolean> {
    if (this.#lost !== null) return this.#giveBack();
    await holder.start();
    const before = holder.running.holder.log.size;
    holder.backUp();
    await this.#askUntilLonger(holder, before);
    if (!holder.isUp) return false;
    const { life, holder: parts } = holder.running;
    const { size } = parts.log;
    await life.orDeath(anchorTreeHeads(parts)).catch(() => undefined);
    if (!holder.isUp || size === before) return false;
    if (!this.#isAnchored(holder, size)) return false;
    holder.kill();
    this.world.holderLines[holder.options.member]!.isBehind = false;
    const whole = holder.restore(holder.backupDir);
    await holder.start();
    // Of what the disk had: entries that were being signed when it was copied are in no backup.
    this.#lost = { holder, whole, size: holder.running.holder.log.size };
    return true;
  }
  /** By what the chain says. */
  #isAnchored({ keys }: HolderProcess, size: number): boolean {
    const texts = this.world.store.events(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    return texts.some((text) => {
      const { sender, data } = JSON.parse(text) as { sender: string; data: { type: string; treeSize?: number } };
      return data.type === 'TreeHeadAnchored' && sender === keys.operator.address && data.treeSize === size;
    });
  }
  async #askUntilLonger(holder: HolderProcess, size: number): Promise<void> {
    for (let tries = 0; tries < 3 && holder.isUp && holder.running.holder.log.size === size; tries++) {
      const runner = await this.world.runner.start();
      this.#pending = [];
      await this.#ask(runner, true);
    }
  }
  async #giveBack(): Promise<boolean> {
    if (this.#lost === null) return false;
    const { holder, whole, size } = this.#lost;
    this.#lost = null;
    holder.kill();
    await holder.start();
    this.behind.push({ member: holder.options.member, before: size, after: holder.running.holder.log.size });
    holder.kill();
    holder.restore(whole);
    await holder.start();
    return true;
  }

  async #ask(runner: RunningRunner, isNew = false): Promise<void> {
    const { world, dice } = this;
    if (isNew || this.#pending.length === 0 || dice.chance(0.4)) {
      const open = this.jobs.filter(({ id, asked, maxQuestions }) => {
        const job = world.store.read('job', id);
        return job?.state === 'funded' && job.expiresAtMs > world.clock.nowMs() && asked < maxQuestions;
      });
      const job =
        !isNew && open.length > 0 && dice.chance(0.5) ? dice.pick(open) : await world.fund(dice.between(1, 3));
      if (!this.jobs.includes(job)) this.jobs.push(job);
      job.asked += 1;
      this.#pending.push({ job, questionId: toHex32<QuestionId>(systemRandom(32)), sealed: null });
    }
    const pending = dice.pick(this.#pending);
    const outcome = await this.#send(runner, pending);
    this.told.outcomes.set(outcome, (this.told.outcomes.get(outcome) ?? 0) + 1);
    // Its sessions end by the clock of the machine, which stands still beside that of this history.
    if (outcome === 'RUNNER_UNAVAILABLE') world.runner.kill();
    const isOver = !['computing', 'settling', 'killed', 'CHAIN_UNAVAILABLE'].includes(outcome);
    if (outcome === 'settled') this.told.settled.push({ jobId: pending.job.id, questionId: pending.questionId });
    if (isOver) this.#pending = this.#pending.filter((one) => one !== pending);
  }

  async #send(runner: RunningRunner, pending: Pending): Promise<string> {
    const { job } = pending;
    try {
      if (pending.sealed?.by !== runner) pending.sealed = { by: runner, request: await this.#sealed(runner, pending) };
      const answer = await runner.life.orDeath(runner.desk.ask(job.id, pending.sealed.request));
      return answer.error?.code ?? answer.state;
    } catch (error) {
      return error instanceof Killed || runner.life.isOver ? 'killed' : toUsufructError(error).code;
    }
  }

  async #sealed({ keys }: RunningRunner, { job, questionId }: Pending): Promise<AskRequest> {
    const { chainId, packageId } = this.world.chain.info;
    const response = await generateKeyPair(systemRandom);
    const info = { chainId, packageId, jobId: job.id, questionId, runnerSigningKey: keys.bound.signingPublicKey };
    const text = 'How many coins does heather honey cost?';
    const question = { text, responsePublicKey: toBase64(response.publicKey), topK: 8 };
    const sealedQuestion = await seal({
      recipientPublicKey: keys.bound.hpkePublicKey,
      info: questionInfo(info),
      aad: new Uint8Array(),
      plaintext: utf8(JSON.stringify(question)),
    });
    const sealedQuestionSha256 = digestOf(sealedQuestion);
    const message = QuestionAuthorizationBcs.serialize({ jobId: job.id, questionId, sealedQuestionSha256 }).toBytes();
    const { secretKey } = job.clientKey;
    const authorization = await sign({ secretKey, domainTag: TAGS.questionAuthorization, message });
    return { questionId, sealedQuestion: toBase64(sealedQuestion), authorization: toBase64(authorization) };
  }

  /** What processes do by themselves every so often. */
  async #upkeep(): Promise<void> {
    const { world, dice } = this;
    const { running } = world.runner;
    if (running !== null && dice.chance(0.5)) {
      await running.life.orDeath(running.settler.resume()).catch(() => undefined);
    }
    const holder = dice.pick(world.holders);
    if (!holder.isUp) return;
    const { life, holder: parts } = holder.running;
    if (dice.chance(0.5)) await life.orDeath(anchorTreeHeads(parts)).catch(() => undefined);
    if (holder.isUp && dice.chance(0.2)) await life.orDeath(destroyRetired(parts)).catch(() => undefined);
  }

  /**
   * Whatever happened before, who asks now is answered, and the answer is paid. A slow machine may have answered none
   * before: its runner is killed too early each time.
   */
  async #askInQuiet(): Promise<void> {
    const { world, dice, told } = this;
    if (!this.#isApproved) await this.#approve(true);
    await world.give(dice.pick(world.contributions.filter(({ isRetired }) => !isRetired)));
    this.#pending = [];
    const before = told.settled.length;
    for (let tries = 0; told.settled.length === before; tries++) {
      if (tries === MOST_TRIES) throw new Error(`no answer: ${JSON.stringify([...told.outcomes])}`);
      await this.#ask(await world.runner.start(), tries === 0);
    }
  }

  /** No more faults: what is late comes, what is owed is settled, and what is left is refunded. */
  async #calm(): Promise<void> {
    const { world, injector } = this;
    injector.isQuiet = true;
    await injector.settled();
    await this.#giveBack();
    await this.#settleHolders();
    injector.isQuiet = true;
    world.runner.kill();
    const { settler } = await world.runner.start();
    await settler.resume();
    await this.#askInQuiet();
    for (const { holder } of world.holders.map(({ running }) => running)) await anchorTreeHeads(holder);
    world.clock.advance(3 * 60 * 60_000);
    for (const { id } of this.jobs) {
      if (world.store.read('job', id)?.state === 'funded') {
        await world.run(world.stranger, { kind: 'expireJob', jobId: id });
      }
    }
    world.noteClosed();
  }
}
