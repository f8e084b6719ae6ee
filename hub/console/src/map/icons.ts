/** Map signs drawn on a canvas. Meaning is in the shape first and in the colour second. */

import type { Colour, Colours } from './colours'

const SCALE = 2
export const PIXEL_RATIO = SCALE

export interface Icon {
  width: number
  height: number
  data: Uint8ClampedArray
}

type Draw = (pen: CanvasRenderingContext2D) => void

function draw(size: number, paint: Draw): Icon {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = size * SCALE
  const pen = canvas.getContext('2d', { willReadFrequently: true })
  if (!pen) throw new Error('this browser has no 2D canvas')
  pen.scale(SCALE, SCALE)
  pen.translate(size / 2, size / 2)
  pen.lineJoin = 'round'
  pen.lineCap = 'round'
  paint(pen)
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height)
  return { width: canvas.width, height: canvas.height, data }
}

function outlined(pen: CanvasRenderingContext2D, path: Path2D, fill: string, halo: string): void {
  pen.strokeStyle = halo
  pen.lineWidth = 3.5
  pen.stroke(path)
  pen.fillStyle = fill
  pen.fill(path)
}

/** Heading shapes, pointing north: a truck is a house, a sweeper a drop, a patrol car a chevron. */
const VEHICLES: Record<string, { path: string; still: string; colour: Colour }> = {
  spoil_truck: {
    path: 'M0 -9.500 6.500 -2.500V7.500H-6.500V-2.500Z',
    still: 'M-6 -6H6V6H-6Z',
    colour: 'map-truck',
  },
  sanitation_vehicle: {
    path: 'M0 -10C3.500 -5 6.500 -2.500 6.500 1.500A6.500 6.500 0 0 1 -6.500 1.500C-6.500 -2.500 -3.500 -5 0 -10Z',
    still: 'M0 -6.500A6.500 6.500 0 1 1 0 6.500A6.500 6.500 0 1 1 0 -6.500Z',
    colour: 'map-sweeper',
  },
  enforcement_vehicle: {
    path: 'M0 -10 7.500 8 0 4 -7.500 8Z',
    still: 'M0 -7.500 7.500 0 0 7.500 -7.500 0Z',
    colour: 'map-patrol',
  },
  other: { path: 'M0 -9.500 5.500 -1V7H-5.500V-1Z', still: 'M-5 -5H5V5H-5Z', colour: 'map-other' },
}
export const VEHICLE_KINDS = Object.keys(VEHICLES)

function vehicle(kind: string, manner: 'moving' | 'still' | 'off', colours: Colours): Icon {
  const shape = VEHICLES[kind] ?? VEHICLES.other
  return draw(26, (pen) => {
    if (!shape) return
    const path = new Path2D(manner === 'moving' ? shape.path : shape.still)
    if (manner !== 'off') return outlined(pen, path, colours[shape.colour], colours['map-halo'])
    pen.fillStyle = colours['map-halo']
    pen.fill(path)
    pen.strokeStyle = colours['map-off']
    pen.lineWidth = 1.6
    pen.stroke(path)
  })
}

function camera(sight: 'ok' | 'starting' | 'blind', colours: Colours): Icon {
  return draw(26, (pen) => {
    const plate = new Path2D()
    plate.roundRect(-9.5, -9.5, 19, 19, 5)
    outlined(
      pen,
      plate,
      sight === 'blind' ? colours.surface : colours['map-camera'],
      colours['map-halo'],
    )
    const ink = sight === 'blind' ? colours['level-2'] : colours.surface
    if (sight === 'blind') {
      pen.strokeStyle = ink
      pen.lineWidth = 1.6
      pen.stroke(plate)
    }
    pen.fillStyle = ink
    pen.beginPath()
    pen.roundRect(-6, -3.6, 8, 7.2, 1.5)
    pen.fill()
    pen.fill(new Path2D('M2.800 -1 6.200 -3.200V3.200L2.800 1Z'))
    pen.strokeStyle = ink
    pen.lineWidth = 1.8
    if (sight === 'blind') pen.stroke(new Path2D('M-6.500 6.500 6.500 -6.500'))
    if (sight === 'starting') {
      pen.fillStyle = colours['map-camera']
      pen.fill(new Path2D('M-3.500 0A1.500 1.500 0 1 1 -0.500 0A1.500 1.500 0 1 1 -3.500 0Z'))
    }
  })
}

/** A sector of `degrees`, pointing north, that fades with distance. */
function fieldOfView(degrees: number, blind: boolean, colours: Colours): Icon {
  return draw(120, (pen) => {
    const half = ((Math.min(degrees, 170) / 2) * Math.PI) / 180
    const colour = blind ? colours['map-off'] : colours.accent
    const fade = pen.createRadialGradient(0, 0, 8, 0, 0, 58)
    fade.addColorStop(0, `${colour}66`)
    fade.addColorStop(1, `${colour}00`)
    const sector = new Path2D()
    sector.moveTo(0, 0)
    sector.arc(0, 0, 58, -Math.PI / 2 - half, -Math.PI / 2 + half)
    sector.closePath()
    pen.fillStyle = fade
    pen.fill(sector)
    pen.strokeStyle = `${colour}55`
    pen.lineWidth = 1
    if (blind) pen.setLineDash([4, 4])
    pen.stroke(sector)
  })
}

const LEVEL_SHAPES = [
  '',
  'M0 -6.500A6.500 6.500 0 1 1 0 6.500A6.500 6.500 0 1 1 0 -6.500Z',
  'M0 -8.500 8.500 0 0 8.500 -8.500 0Z',
  'M0 -9 9 7H-9Z',
]

function alert(level: number, decided: boolean, colours: Colours): Icon {
  return draw(26, (pen) => {
    const path = new Path2D(LEVEL_SHAPES[level] ?? LEVEL_SHAPES[1])
    const colour = colours[`level-${level}` as Colour]
    if (!decided) return outlined(pen, path, colour, colours['map-halo'])
    pen.scale(0.72, 0.72)
    pen.fillStyle = colours['map-halo']
    pen.fill(path)
    pen.strokeStyle = colour
    pen.lineWidth = 2
    pen.stroke(path)
  })
}

function caseSign(colours: Colours): Icon {
  return draw(26, (pen) => {
    const sheet = new Path2D('M-6 -8H3L6.500 -4.500V8H-6Z')
    outlined(pen, sheet, colours.surface, colours['map-halo'])
    pen.strokeStyle = colours.accent
    pen.lineWidth = 1.7
    pen.stroke(sheet)
    pen.stroke(new Path2D('M-2.800 -1H3M-2.800 3H3'))
  })
}

const TILE = 8

/** Grids where nobody looked though somebody was there: dotted where he parked, striped where he passed. */
function hatch(standing: 'parked' | 'passed', colours: Colours): Icon {
  return draw(TILE, (pen) => {
    const half = TILE / 2
    pen.strokeStyle = pen.fillStyle = colours['level-2']
    pen.lineWidth = 1.8
    if (standing === 'parked') {
      pen.beginPath()
      pen.arc(0, 0, 2, 0, 2 * Math.PI)
      return pen.fill()
    }
    // Lines through the corners go on in the tiles beside.
    for (const x of [-TILE, 0, TILE]) {
      pen.beginPath()
      pen.moveTo(x - half, half)
      pen.lineTo(x + half, -half)
      pen.stroke()
    }
  })
}

/** Every sign by its name in the style. */
export function icons(colours: Colours): Map<string, Icon> {
  const made = new Map<string, Icon>()
  for (const kind of VEHICLE_KINDS) {
    for (const manner of ['moving', 'still', 'off'] as const) {
      made.set(`vehicle-${kind}-${manner}`, vehicle(kind, manner, colours))
    }
  }
  for (const sight of ['ok', 'starting', 'blind'] as const)
    made.set(`camera-${sight}`, camera(sight, colours))
  for (const level of [1, 2, 3]) {
    made.set(`alert-${level}`, alert(level, false, colours))
    made.set(`alert-${level}-decided`, alert(level, true, colours))
  }
  for (let degrees = 10; degrees <= 180; degrees += 10) {
    made.set(`fov-${degrees}`, fieldOfView(degrees, false, colours))
    made.set(`fov-${degrees}-blind`, fieldOfView(degrees, true, colours))
  }
  made.set('case', caseSign(colours))
  for (const standing of ['parked', 'passed'] as const)
    made.set(`coverage-${standing}`, hatch(standing, colours))
  return made
}

/** A sign as a picture for the legend. */
export function iconUrl(icon: Icon): string {
  const canvas = document.createElement('canvas')
  canvas.width = icon.width
  canvas.height = icon.height
  const pen = canvas.getContext('2d')
  pen?.putImageData(new ImageData(new Uint8ClampedArray(icon.data), icon.width, icon.height), 0, 0)
  return canvas.toDataURL()
}
