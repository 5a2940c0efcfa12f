export const CONTRIBUTE_STEPS = ['planning', 'uploading', 'signing', 'depositing', 'registering', 'done'] as const;
export type ContributeStep = (typeof CONTRIBUTE_STEPS)[number];

export interface ContributeProgress {
  readonly step: ContributeStep;
  readonly fileBytes: number;
  /** Of the file. */
  readonly encryptedBytes: number;
  /** Of the ciphertext: a little more than the file in the end. */
  readonly uploadedBytes: number;
  /** Key holders that have confirmed their share. */
  readonly sharesDeposited: number;
  readonly shareCount: number;
}
export type OnContributeProgress = (progress: ContributeProgress) => void;

/** Counts, and tells. A listener that throws stops the contribution, which can then be resumed. */
export class ProgressMeter {
  private state: ContributeProgress;
  constructor(
    fileBytes: number,
    private readonly listener: OnContributeProgress = () => undefined,
  ) {
    this.state = {
      step: 'planning',
      fileBytes,
      encryptedBytes: 0,
      uploadedBytes: 0,
      sharesDeposited: 0,
      shareCount: 0,
    };
  }
  step(step: ContributeStep): void {
    this.tell({ step });
  }
  restart(): void {
    this.tell({ step: 'planning', encryptedBytes: 0, uploadedBytes: 0, sharesDeposited: 0 });
  }
  encrypted(bytes: number): void {
    this.tell({ encryptedBytes: this.state.encryptedBytes + bytes });
  }
  uploaded(bytes: number): void {
    this.tell({ uploadedBytes: this.state.uploadedBytes + bytes });
  }
  shares(sharesDeposited: number, shareCount: number): void {
    this.tell({ sharesDeposited, shareCount });
  }
  private tell(change: Partial<ContributeProgress>): void {
    this.state = { ...this.state, ...change };
    this.listener(this.state);
  }
}
