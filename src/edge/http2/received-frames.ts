import type { EdgeLimits } from '../limits.ts';
import { FloodGuard } from './flood-guard.ts';
import { ack, endHeaders, FrameFollower, frameType } from './frame-follower.ts';
import type { Ticks } from './server-exchange.ts';
import {
  controlBounds,
  mostContinuations,
  requestsOfRestless,
  resetBounds,
  restlessBounds,
} from './session-options.ts';

/** Bytes of the client's preface (RFC 9113 section 3.4). */
const prefaceBytes = 24;

/** Counts those of a client's frames that cost it little and us much, before anything is done with them. */
export class ReceivedFrames {
  readonly #ticks: Ticks;
  readonly #frames = new FrameFollower(prefaceBytes, (type, flags) => this.#count(type, flags));
  readonly #control: FloodGuard;
  readonly #resets: FloodGuard;
  readonly #calm: FloodGuard;
  /** Where the requests begin in the bytes that were looked at last. */
  readonly #requests: number[] = [];
  #at = 0;
  #continuations = 0;
  #sectionSince: number | undefined;
  #flood: string | undefined;

  constructor(ticks: Ticks, limits: EdgeLimits) {
    this.#ticks = ticks;
    this.#control = new FloodGuard(controlBounds(limits), ticks);
    this.#resets = new FloodGuard(resetBounds(limits), ticks);
    this.#calm = new FloodGuard(restlessBounds, ticks);
  }

  /** The tick at which the header section began of which not all has come. */
  get sectionSince(): number | undefined {
    return this.#sectionSince;
  }

  /** Looks at the next bytes. Gives what they hold too much of; they must not be taken then. */
  look(bytes: Buffer): string | undefined {
    this.#requests.length = 0;
    this.#at = 0;
    while (this.#at < bytes.length && this.#flood === undefined)
      this.#at = this.#frames.next(bytes, this.#at);
    return this.#flood;
  }

  /**
   * The parts in which the bytes that were looked at last are to be taken, one a while after the other: opening and closing
   * requests takes us a hundred times as long as the client.
   */
  parts(bytes: Buffer): readonly Buffer[] {
    if (this.#requests.length <= requestsOfRestless || !this.#calm.exceeded) return [bytes];
    const parts: Buffer[] = [];
    let from = 0;
    for (let next = requestsOfRestless; next < this.#requests.length; next += requestsOfRestless) {
      const to = this.#requests[next];
      parts.push(bytes.subarray(from, to));
      from = to ?? bytes.length;
    }
    return [...parts, bytes.subarray(from)];
  }

  #count(type: number, flags: number): void {
    switch (type) {
      case frameType.headers:
        this.#requests.push(this.#at);
        this.#continuations = 0;
        this.#sectionSince = (flags & endHeaders) === 0 ? this.#ticks.now : undefined;
        break;
      case frameType.continuation:
        this.#continuations += 1;
        if (this.#continuations > mostContinuations) this.#flood = 'CONTINUATION flood';
        if ((flags & endHeaders) !== 0) this.#sectionSince = undefined;
        break;
      case frameType.rstStream:
        this.#calm.allow();
        if (!this.#resets.allow()) this.#flood = 'rapid reset';
        break;
      case frameType.settings:
        if ((flags & ack) === 0 && !this.#control.allow()) this.#flood = 'settings flood';
        break;
      case frameType.ping:
        if ((flags & ack) === 0 && !this.#control.allow()) this.#flood = 'ping flood';
        break;
      default:
    }
  }
}
