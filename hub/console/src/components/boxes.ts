/** Rectangles that are drawn, moved and pulled at: fractions of a picture, never beyond it. */

import type { TrueBox } from '../api/learning'

export interface Point {
  x: number
  y: number
}

export type Corner = 'nw' | 'ne' | 'sw' | 'se'
export const CORNERS: Corner[] = ['nw', 'ne', 'sw', 'se']

/** The hub takes nothing smaller. */
export const LEAST = 0.004

function within(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}

/** The rectangle between two points, whichever was first. */
export function between(a: Point, b: Point): Omit<TrueBox, 'label'> {
  const [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map((side) => within(side, 0, 1)) as [
    number,
    number,
    number,
    number,
  ]
  return { x: Math.min(ax, bx), y: Math.min(ay, by), w: Math.abs(bx - ax), h: Math.abs(by - ay) }
}

export function isLargeEnough(box: { w: number; h: number }): boolean {
  return box.w >= LEAST && box.h >= LEAST
}

export function moved(box: TrueBox, dx: number, dy: number): TrueBox {
  return { ...box, x: within(box.x + dx, 0, 1 - box.w), y: within(box.y + dy, 0, 1 - box.h) }
}

/** Pull a corner to a point; the opposite corner stays. */
export function pulled(box: TrueBox, corner: Corner, to: Point): TrueBox {
  const still = {
    x: corner.endsWith('w') ? box.x + box.w : box.x,
    y: corner.startsWith('n') ? box.y + box.h : box.y,
  }
  const next = { ...box, ...between(still, to) }
  return isLargeEnough(next) ? next : box
}

/** Larger or smaller by the keyboard: the top-left corner stays. */
export function grown(box: TrueBox, dw: number, dh: number): TrueBox {
  return {
    ...box,
    w: within(box.w + dw, LEAST, 1 - box.x),
    h: within(box.h + dh, LEAST, 1 - box.y),
  }
}
