/** When a map may draw again, so that slow drawings leave the page its time. */

/** A drawing as quick as this is no burden: two frames, at 60 a second. */
export const QUICK_MS = 34
/** Of the page's time, the most that slow drawings may take. */
const SHARE = 0.25

/** How long nothing is drawn after a drawing that took so long, both in milliseconds. */
export function restMs(tookMs: number): number {
  return tookMs <= QUICK_MS ? 0 : tookMs / SHARE - tookMs
}

export class Pace {
  private measuring = false
  /** Whether the last drawing was one to rest after. */
  slow = false
  private resting = false
  private wanted = false
  private waiting: (() => void)[] = []

  constructor(private readonly draw: () => void) {}

  /** Calls back with the next drawing: what has changed until then can be told in one piece. */
  before(call: () => void): void {
    if (this.resting) this.waiting.push(call)
    else requestAnimationFrame(call)
  }

  /** Something is to be drawn: now, or when the rest is over; what is `urgent` never waits. */
  want(urgent: boolean): void {
    this.wanted = this.resting && !urgent
    if (this.wanted) return
    this.draw()
    this.measure()
  }

  /** What a drawing took is seen by when the page has its next frame. */
  private measure(): void {
    if (this.measuring) return
    this.measuring = true
    this.resting = this.slow
    requestAnimationFrame((began) => {
      requestAnimationFrame((ended) => {
        const ms = restMs(ended - began)
        this.measuring = false
        this.slow = this.resting = ms > 0
        setTimeout(() => this.wake(), ms)
      })
    })
  }

  private wake(): void {
    this.resting = false
    for (const call of this.waiting.splice(0)) call()
    if (this.wanted) this.want(true)
  }
}
