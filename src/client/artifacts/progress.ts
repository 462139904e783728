// The progress of a transfer.

export interface Progress {
  /** The bytes that have been transferred. Less than before if a part is sent again. */
  readonly bytes: number;
  /** The size of the content, if it is known. */
  readonly total: number | undefined;
}

export type OnProgress = (progress: Progress) => void;
