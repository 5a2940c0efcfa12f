import { toWireJson } from '@usufruct/protocol';
import { refuse, type UsufructError, type WireError } from '@usufruct/kernel';
import cliProgress from 'cli-progress';

export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The terminal that progress bars may draw on; null where there is none. */
  readonly bars: NodeJS.WritableStream | null;
  /** One line typed by the person in front of the terminal; null where there is nobody. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

/** What a terminal obeys, and what turns the order of letters. */
const OBEYED = /(?![\n\t])[\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu;
/** Lines quote what others have written: documents, titles, what a server says of a refusal. */
const harmless = (line: string): string => line.replace(OBEYED, '');

/**
 * What a command says. The result goes to stdout: lines for people, or with `--json` exactly one JSON object.
 * Everything else (progress, remarks, errors without `--json`) goes to stderr.
 */
export class Terminal {
  private isSaid = false;

  constructor(
    private readonly streams: Streams,
    private readonly asJson: boolean,
  ) {}

  result(value: object, lines: readonly string[]): void {
    this.streams.out(
      this.asJson ? `${toWireJson({ ok: true, ...value })}\n` : lines.map((line) => `${harmless(line)}\n`).join(''),
    );
  }

  /** A judgement that may be bad is said whole either way, and a bad one ends the command with its refusal. */
  judgement(value: object, lines: readonly string[], refusal: UsufructError | null): void {
    if (refusal === null) return this.result(value, lines);
    this.result({ ...value, ok: false, error: refusal.toWire() }, lines);
    this.isSaid = this.asJson;
    throw refusal;
  }

  error(error: WireError): void {
    if (this.isSaid) return; // within the one object
    if (this.asJson) this.streams.out(`${toWireJson({ ok: false, error })}\n`);
    else this.streams.err(`error ${error.code}: ${harmless(error.message)}\n${error.remedy}\n`);
  }

  remark(line: string): void {
    this.streams.err(`${harmless(line)}\n`);
  }

  /** Refuses `INVALID_ARGUMENT` where nobody can be asked: `--yes` says it beforehand. */
  async confirm(question: string): Promise<boolean> {
    const { ask } = this.streams;
    if (ask === null || this.asJson) throw refuse('INVALID_ARGUMENT', { field: 'yes', expected: '--yes' });
    return /^y(es)?$/i.test((await ask(`${harmless(question)} [y/N] `)).trim());
  }

  /** One bar per file where there is a terminal, a line per step where there is none. */
  uploadBar(name: string, sizeBytes: number): UploadBar {
    return this.streams.bars === null || this.asJson
      ? new StepLines(name, this.streams.err)
      : new TerminalBar(name, sizeBytes, this.streams.bars);
  }
}

export interface UploadBar {
  update(doneBytes: number, step: string): void;
  end(): void;
}

class StepLines implements UploadBar {
  private step = '';
  constructor(
    private readonly name: string,
    private readonly write: (text: string) => void,
  ) {}
  update(_doneBytes: number, step: string): void {
    if (step !== this.step) this.write(`${this.name}: ${step}\n`);
    this.step = step;
  }
  end(): void {
    // the last step was written when it began
  }
}

class TerminalBar implements UploadBar {
  private readonly bar: cliProgress.SingleBar;
  constructor(name: string, sizeBytes: number, stream: NodeJS.WritableStream) {
    this.bar = new cliProgress.SingleBar(
      { format: `${name} {bar} {percentage}% {step}`, stream, hideCursor: true, clearOnComplete: false },
      cliProgress.Presets.shades_classic,
    );
    this.bar.start(sizeBytes, 0, { step: 'planning' });
  }
  update(doneBytes: number, step: string): void {
    this.bar.update(Math.min(doneBytes, this.bar.getTotal()), { step });
  }
  end(): void {
    this.bar.stop();
  }
}
