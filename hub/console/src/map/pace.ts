/** When a map may draw again, so that slow drawings leave the page its time. */

/** A drawing as quick as this is no burden: two frames, at 60 a second. */
export const QUICK_MS = 34
/** Of the page's time, the most that slow drawings may take. */
const SHARE = 0.25
/** How long a slow drawing waits for what belongs on it, such as tiles that are on their way. */
export const PATIENCE_MS = 500

/** How long nothing is drawn after a drawing that took so long, both in milliseconds. */
export function restMs(tookMs: number): number {
  return tookMs <= QUICK_MS ? 0 : tookMs / SHARE - tookMs
}

type Tell = () => Promise<void>

/**
 * Where drawing is quick everything happens at once. Where it is slow, one turn follows the other:
 * what has changed is told, what comes of it is waited for, drawn once, and then there is a rest.
 */
export class Pace {
  /** Whether the last drawing was one to rest after. */
  slow = false
  private turn: 'free' | 'telling' | 'resting' = 'free'
  private measuring = false
  private wanted = false
  private waiting: Tell[] = []
  private told = 0
  private patience: ReturnType<typeof setTimeout> | undefined

  /** `isComplete`: whether all that belongs on the next drawing is there. */
  constructor(
    private readonly draw: () => void,
    private readonly isComplete: () => boolean,
  ) {}

  /** Calls back with the next drawing, once: what has changed until then can be told in one piece. */
  before(tell: Tell): void {
    this.waiting.push(tell)
    if (this.turn === 'free') requestAnimationFrame(() => this.tell())
  }

  /** Something is to be drawn; what is `urgent` waits for nothing. */
  want(urgent: boolean): void {
    if (!urgent && this.turn === 'resting') this.wanted = true
    else if (!urgent && this.slow && (this.told > 0 || !this.isComplete())) {
      this.wanted = true
      this.wait()
    } else this.drawNow()
  }

  private tell(): void {
    if (this.turn !== 'free' || this.waiting.length === 0) return
    if (this.slow) this.wait()
    for (const tell of this.waiting.splice(0)) {
      this.told++
      void tell().finally(() => {
        this.told--
        if (this.wanted) this.want(false)
      })
    }
  }

  private wait(): void {
    if (this.turn === 'telling') return
    this.turn = 'telling'
    this.patience = setTimeout(() => {
      this.turn = 'free'
      if (this.wanted) this.drawNow()
      else this.tell()
    }, PATIENCE_MS)
  }

  private drawNow(): void {
    clearTimeout(this.patience)
    this.wanted = false
    this.turn = this.slow ? 'resting' : 'free'
    this.draw()
    this.measure()
  }

  /** What a drawing took is seen by when the page has its next frame. */
  private measure(): void {
    if (this.measuring) return
    this.measuring = true
    requestAnimationFrame((began) => {
      requestAnimationFrame((ended) => {
        const ms = restMs(ended - began)
        this.measuring = false
        this.slow = ms > 0
        this.turn = this.slow ? 'resting' : 'free'
        setTimeout(() => this.wake(), ms)
      })
    })
  }

  private wake(): void {
    clearTimeout(this.patience)
    this.turn = 'free'
    this.tell()
    if (this.wanted && this.turn === 'free') this.want(false)
  }
}
