/** The map's colours come from the same tokens as the page's. */

const NAMES = [
  'surface',
  'ink',
  'ink-2',
  'ink-3',
  'accent',
  'good',
  'line-strong',
  'level-1',
  'level-2',
  'level-3',
  'map-sea',
  'map-land',
  'map-line-1',
  'map-line-2',
  'map-line-3',
  'map-label',
  'map-halo',
  'map-truck',
  'map-sweeper',
  'map-patrol',
  'map-other',
  'map-camera',
  'map-off',
] as const
export type Colour = (typeof NAMES)[number]
export type Colours = Record<Colour, string>

export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement)
  return Object.fromEntries(
    NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  ) as Colours
}
