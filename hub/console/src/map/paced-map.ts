import { Map as MapLibre, type MapOptions } from 'maplibre-gl'

import { Pace } from './pace'

/**
 * Without a graphics card a drawing takes many frames, and nothing else of the page comes on to the
 * screen meanwhile. What changes by itself is then drawn at a pace that leaves the page its time;
 * where a person moves the map, and until there is a first picture of it, as often as it can be.
 */
export class PacedMap extends MapLibre {
  private readonly pace: Pace | undefined = new Pace(
    () => super.triggerRepaint(),
    () => this.areTilesLoaded(),
  )
  private hasPicture = false

  constructor(options: MapOptions) {
    super(options)
    void this.once('load', () => {
      this.hasPicture = true
    })
  }

  /** Whether a movement would be seen as a few jumps. */
  get isSlow(): boolean {
    return this.pace?.slow ?? false
  }

  beforeDrawing(tell: () => Promise<void>): void {
    this.pace?.before(tell)
  }

  override triggerRepaint(): void {
    if (this.pace) this.pace.want(this.isMoving() || !this.hasPicture)
    else super.triggerRepaint() // while it is being made
  }
}
