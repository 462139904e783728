// How often uploads to artifact stores and downloads from them are tried, and how they are refused.

// Ten tries with the backoff of the client take about a minute and a half: longer than a restart of a server.
export const tries = 10;

/** The store replied with a status that is no success. */
export class StoreRefusal extends Error {
  override readonly name = "StoreRefusal";
  readonly statusCode: number;
  constructor(statusCode: number, text: string) {
    // oxlint-disable-next-line messages/next-step -- the error that it causes names it
    super(`the store replied with status ${statusCode}${text === "" ? "" : `: ${text}`}`);
    this.statusCode = statusCode;
  }
}
