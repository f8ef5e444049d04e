/** Why the body of a request will never be complete by the client's own doing, and what it is answered. */
export class BodyFault extends Error {
  readonly status: 400 | 408;

  constructor(status: BodyFault['status'], reason: string) {
    super(reason);
    this.status = status;
  }
}
