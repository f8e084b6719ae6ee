/** What lies under everything: pictures of streets, or their shapes drawn in the console's colours. */

import { addProtocol, type LayerSpecification, type SourceSpecification } from 'maplibre-gl'
import { Protocol } from 'pmtiles'

import type { BaseMap } from '../api/summary'
import type { Colours } from './colours'

/** Lets sources begin with `pmtiles://`: parts of one file, asked for by range. */
export function readPmtiles(): void {
  addProtocol('pmtiles', new Protocol().tile)
}

export function baseSource(base: BaseMap, origin = location.origin): SourceSpecification {
  const where = base.pmtiles ? { url: `pmtiles://${origin}${base.pmtiles}` } : { tiles: base.tiles }
  const rest = { maxzoom: base.max_zoom, attribution: base.attribution }
  if (base.kind === 'vector') return { type: 'vector', ...where, ...rest }
  return { type: 'raster', tileSize: base.tile_size, ...where, ...rest }
}

export function baseLayers(base: BaseMap, colours: Colours): LayerSpecification[] {
  return base.kind === 'vector' ? shapes(colours) : [pictures()]
}

/** Tiles are drawn for light pages: on a dark one they step back. */
function pictures(): LayerSpecification {
  const dark = document.documentElement.dataset.theme === 'dark'
  return {
    id: 'base',
    type: 'raster',
    source: 'base',
    paint: dark
      ? { 'raster-brightness-max': 0.5, 'raster-saturation': -0.4 }
      : { 'raster-brightness-max': 1, 'raster-saturation': 0 },
  }
}

/** The layers of Protomaps' basemap that tell where one is; what else a file holds stays away. */
function shapes(colours: Colours): LayerSpecification[] {
  const fill = (layer: string, colour: string, opacity = 1): LayerSpecification => ({
    id: `base-${layer}`,
    type: 'fill',
    source: 'base',
    'source-layer': layer,
    filter: ['==', ['geometry-type'], 'Polygon'],
    paint: { 'fill-color': colour, 'fill-opacity': opacity, 'fill-antialias': false },
  })
  return [
    fill('earth', colours['map-land']),
    fill('landuse', colours['map-line-3'], 0.25),
    fill('water', colours['map-sea']),
    {
      id: 'base-roads',
      type: 'line',
      source: 'base',
      'source-layer': 'roads',
      paint: {
        'line-color': colours['map-line-3'],
        'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 10, 0.5, 16, 5],
      },
    },
    fill('buildings', colours['map-line-2'], 0.3),
  ]
}
