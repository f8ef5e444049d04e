import type { EdgeLimits } from '../limits.ts';
import { FloodGuard } from './flood-guard.ts';
import { ack, endHeaders, FrameFollower, frameType } from './frame-follower.ts';
import type { Ticks } from './server-exchange.ts';
import { controlBounds, mostContinuations, resetBounds } from './session-options.ts';

/** Bytes of the client's preface (RFC 9113 section 3.4). */
const prefaceBytes = 24;

/** Counts those of a client's frames that cost it little and us much, before anything is done with them. */
export class ReceivedFrames {
  readonly #ticks: Ticks;
  readonly #frames = new FrameFollower(prefaceBytes, (type, flags) => this.#count(type, flags));
  readonly #control: FloodGuard;
  readonly #resets: FloodGuard;
  #continuations = 0;
  #sectionSince: number | undefined;
  #flood: string | undefined;

  constructor(ticks: Ticks, limits: EdgeLimits) {
    this.#ticks = ticks;
    this.#control = new FloodGuard(controlBounds(limits), ticks);
    this.#resets = new FloodGuard(resetBounds(limits), ticks);
  }

  /** The tick at which the header section began of which not all has come. */
  get sectionSince(): number | undefined {
    return this.#sectionSince;
  }

  /** Looks at the next bytes. Gives what they hold too much of; they must not be taken then. */
  look(bytes: Buffer): string | undefined {
    for (let at = 0; at < bytes.length && this.#flood === undefined; ) at = this.#frames.next(bytes, at);
    return this.#flood;
  }

  #count(type: number, flags: number): void {
    switch (type) {
      case frameType.headers:
        this.#continuations = 0;
        this.#sectionSince = (flags & endHeaders) === 0 ? this.#ticks.now : undefined;
        break;
      case frameType.continuation:
        this.#continuations += 1;
        if (this.#continuations > mostContinuations) this.#flood = 'CONTINUATION flood';
        if ((flags & endHeaders) !== 0) this.#sectionSince = undefined;
        break;
      case frameType.rstStream:
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
