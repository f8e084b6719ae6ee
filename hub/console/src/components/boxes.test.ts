import { expect, test } from 'vitest'

import { between, grown, isLargeEnough, moved, pulled } from './boxes'

const box = { label: 'garbage', x: 0.2, y: 0.3, w: 0.2, h: 0.1 }

test('a rectangle is drawn in any direction and ends at the edge', () => {
  expect(between({ x: 0.6, y: 0.7 }, { x: 0.2, y: 0.1 })).toEqual({
    x: 0.2,
    y: 0.1,
    w: expect.closeTo(0.4) as number,
    h: expect.closeTo(0.6) as number,
  })
  expect(between({ x: 0.5, y: 0.5 }, { x: 2, y: -1 })).toEqual({ x: 0.5, y: 0, w: 0.5, h: 0.5 })
})

test('moving stops at the edge and keeps the size', () => {
  expect(moved(box, 5, -5)).toEqual({ ...box, x: 0.8, y: 0 })
})

test('a pulled corner may cross over, its opposite stays', () => {
  expect(pulled(box, 'se', { x: 0.5, y: 0.6 })).toMatchObject({ x: 0.2, y: 0.3 })
  const crossed = pulled(box, 'se', { x: 0.1, y: 0.6 })
  expect([crossed.x, crossed.w]).toEqual([expect.closeTo(0.1), expect.closeTo(0.1)])
  expect(pulled(box, 'nw', { x: 0.4, y: 0.4 })).toEqual(box)
})

test('growing keeps within the picture and above nothing', () => {
  expect(grown(box, 9, 9)).toMatchObject({ w: 0.8, h: 0.7 })
  expect(isLargeEnough(grown(box, -9, -9))).toBe(true)
})
