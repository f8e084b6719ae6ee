/** The grids to choose from, each below the one it lies in and indented under it. */

import { computed } from 'vue'

import { grids } from './city'

export interface GridChoice {
  code: string
  name: string
}

export const gridChoices = computed<GridChoice[]>(() => {
  const shapes = (grids.value?.features ?? []).map((shape) => shape.properties)
  const inside = new Map<string | null, typeof shapes>()
  for (const grid of shapes) {
    const parent = grid.parent ?? null
    inside.set(parent, [...(inside.get(parent) ?? []), grid])
  }
  const walk = (parent: string | null, depth: number): GridChoice[] =>
    (inside.get(parent) ?? []).flatMap((grid) => [
      { code: grid.code, name: `${'\u3000'.repeat(depth)}${grid.name || grid.code}` },
      ...walk(grid.code, depth + 1),
    ])
  return walk(null, 0)
})

export function gridName(code: string): string {
  const known = grids.value?.features.find((shape) => shape.properties.code === code)
  return known?.properties.name || code
}
