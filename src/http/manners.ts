/** What experience has taught about the connections of one server. */

/** A connection that lived for fewer responses than this before it broke had a reason to break. */
const SHORT_LIFE_RESPONSES = 16

/** How often that must happen before it is held against the server. */
const STRIKES = 2

/** How a server treats connections; for as long as anything of it is kept open. */
export class Manners {
  #pipelineStrikes = 0
  #reuseStrikes = 0

  /** Whether a connection may be used again. */
  get mayReuse(): boolean {
    return this.#reuseStrikes < STRIKES
  }

  /** Whether requests may be sent behind others. */
  get mayPipeline(): boolean {
    return this.mayReuse && this.#pipelineStrikes < STRIKES
  }

  /** A connection answered as it should. @param answered how many responses came on it so far */
  answeredAgain(answered: number): void {
    if (answered > 1) this.#reuseStrikes = 0
  }

  /** A connection closed with requests on it that were sent behind others. */
  brokePipeline(answered: number): void {
    if (answered < SHORT_LIFE_RESPONSES) this.#pipelineStrikes++
  }

  /** Nothing came any more for requests that were sent behind others. */
  ignoredPipeline(): void {
    this.#pipelineStrikes = STRIKES
  }

  /** A connection that had answered closed on the next request. */
  brokeReuse(answered: number): void {
    if (answered === 1) this.#reuseStrikes++
  }
}
