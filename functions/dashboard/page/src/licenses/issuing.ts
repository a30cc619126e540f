// Issues licences one after the other: each is a change of its own, and in the audit log.

import { change, Problem } from "../api/api";
import type { LicenseWithKey } from "../types";
import { newLicenseKey } from "./license_key";

const TAKEN = 409;

export interface Issued {
  key: string;
  /** Null where the answer got lost, and only later was known that it had been issued. */
  id: string | null;
}

export interface Terms {
  product_id: string | null;
  customer_id: string | null;
  expires_at: string | null;
  activation_limit: number;
}

/** What is still to be issued, and what has been: it goes on where it stopped. */
export class Batch {
  readonly issued: Issued[] = [];
  private readonly waiting: { key: string; wasSent: boolean; isOurs: boolean }[];

  constructor(
    private readonly environment: string,
    readonly total: number,
    givenKey: string | null,
  ) {
    this.waiting = Array.from({ length: total }, () => ({
      key: givenKey ?? newLicenseKey(),
      wasSent: false,
      isOurs: givenKey === null,
    }));
  }

  /** Whether none of it can have been issued: then it may as well be made anew. */
  get isUntouched(): boolean {
    return this.issued.length === 0 && !this.waiting[0]?.wasSent;
  }

  /** Issues the rest. Throws the Problem that stopped it; nothing that was issued is lost then. */
  async run(terms: Terms, onProgress: () => void): Promise<void> {
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      this.issued.push({ key: next.key, id: await this.issue(next, terms) });
      this.waiting.shift();
      onProgress();
    }
  }

  private async issue(one: (typeof this.waiting)[number], terms: Terms): Promise<string | null> {
    const wasSent = one.wasSent;
    one.wasSent = true;
    try {
      const body = { ...terms, license_key: one.key };
      const path = `/api/v1/admin/licenses?environment=${this.environment}`;
      return (await change<LicenseWithKey>("POST", path, { body }))?.id ?? null;
    } catch (error) {
      const isKnown = error instanceof Problem && error.status === TAKEN && wasSent && one.isOurs;
      if (isKnown) return null; // nobody else can have made this key: the first answer got lost
      const isRefused = error instanceof Problem && error.status >= 400 && error.status < 500;
      one.wasSent = wasSent || !isRefused;
      throw error;
    }
  }
}
