/** The map's layers, bottom to top. No tile, glyph or sprite comes from anywhere. */

import type {
  DataDrivenPropertyValueSpecification,
  LayerSpecification,
  StyleSpecification,
} from 'maplibre-gl'

import type { BaseMap } from '../api/summary'
import { baseLayers, baseSource } from './base'
import type { Layer } from '../store/settings'
import type { Colours } from './colours'

export const FONT = ['Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'sans-serif']
const EMPTY = { type: 'FeatureCollection' as const, features: [] }

export const SOURCES = [
  'grids',
  'grid-labels',
  'cameras',
  'vehicles',
  'trails',
  'track',
  'shapes',
  'moment',
  'alerts',
  'cases',
  'here',
  'coverage',
  'fences',
  'permits',
] as const
export type SourceName = (typeof SOURCES)[number]

/** The layers that a switch of the page shows and hides. */
export const SWITCHED: Record<Layer, string[]> = {
  grids: ['grid-3', 'grid-2', 'grid-waiting', 'grid-label-2', 'grid-label-3'],
  cameras: ['fov', 'cameras', 'camera-names', 'camera-dots'],
  vehicles: ['vehicles', 'vehicle-dots'],
  trails: ['trails'],
  alerts: ['alerts', 'alert-clusters', 'alert-counts'],
  cases: ['cases'],
  fences: ['fence-areas', 'fence-lines', 'fence-names'],
  permits: ['permit-routes'],
}

/** What a page draws of its own: its way, a corridor, sites, what happened, where it is now. */
const shapeColour = (colours: Colours) =>
  [
    'match',
    ['get', 'tone'],
    'lost',
    colours['ink-3'],
    'event',
    colours['level-3'],
    'stop',
    colours['ink-2'],
    'dump',
    colours['level-2'],
    'loading',
    colours.good,
    colours.accent,
  ] as DataDrivenPropertyValueSpecification<string>

const kindColour = (colours: Colours) =>
  [
    'match',
    ['get', 'kind'],
    'spoil_truck',
    colours['map-truck'],
    'sanitation_vehicle',
    colours['map-sweeper'],
    'enforcement_vehicle',
    colours['map-patrol'],
    colours['map-other'],
  ] as unknown as string

/** Grids of a level; a set without levels is drawn like the finest. */
function isLevel(level: number): boolean {
  return ['==', ['coalesce', ['get', 'level'], 3], level] as unknown as boolean
}

export function layers(colours: Colours, base: BaseMap | null): LayerSpecification[] {
  const label = {
    'text-color': colours['map-label'],
    'text-halo-color': colours['map-halo'],
    'text-halo-width': 1.4,
  }
  return [
    { id: 'background', type: 'background', paint: { 'background-color': colours['map-sea'] } },
    ...(base
      ? baseLayers(base, colours)
      : [
          {
            id: 'land',
            type: 'fill' as const,
            source: 'grids',
            paint: { 'fill-color': colours['map-land'], 'fill-antialias': false },
          },
        ]),
    {
      id: 'grid-waiting',
      type: 'fill',
      source: 'grids',
      filter: isLevel(3),
      paint: {
        'fill-color': colours['level-2'],
        'fill-opacity': [
          'interpolate',
          ['linear'],
          ['coalesce', ['feature-state', 'waiting'], 0],
          0,
          0,
          1,
          0.045,
          8,
          0.16,
        ],
      },
    },
    {
      id: 'grid-chosen',
      type: 'fill',
      source: 'grids',
      paint: {
        'fill-color': colours.accent,
        'fill-opacity': ['case', ['boolean', ['feature-state', 'chosen'], false], 0.1, 0],
      },
    },
    {
      id: 'coverage',
      type: 'fill',
      source: 'coverage',
      paint: {
        'fill-color': [
          'match',
          ['get', 'standing'],
          'visited',
          colours['level-1'],
          ['missed', 'parked', 'passed'],
          colours['level-2'],
          colours['ink-3'],
        ],
        'fill-opacity': ['match', ['get', 'standing'], 'visited', 0.42, 'missed', 0.62, 0.14],
      },
    },
    {
      id: 'coverage-token',
      type: 'fill',
      source: 'coverage',
      filter: ['in', ['get', 'standing'], ['literal', ['parked', 'passed']]],
      paint: {
        'fill-pattern': ['concat', 'coverage-', ['get', 'standing']],
        'fill-opacity': 0.75,
      },
    },
    {
      id: 'grid-3',
      type: 'line',
      source: 'grids',
      filter: isLevel(3),
      minzoom: 10.5,
      paint: {
        'line-color': colours['map-line-3'],
        'line-width': ['interpolate', ['linear'], ['zoom'], 10.5, 0.5, 15, 1.4],
      },
    },
    {
      id: 'grid-2',
      type: 'line',
      source: 'grids',
      filter: isLevel(2),
      paint: {
        'line-color': colours['map-line-2'],
        'line-width': ['interpolate', ['linear'], ['zoom'], 10, 0.9, 15, 2.2],
      },
    },
    {
      id: 'grid-1',
      type: 'line',
      source: 'grids',
      filter: isLevel(1),
      paint: {
        'line-color': colours['map-line-1'],
        'line-width': ['interpolate', ['linear'], ['zoom'], 10, 1.4, 15, 2.6],
      },
    },
    {
      id: 'grid-chosen-line',
      type: 'line',
      source: 'grids',
      paint: {
        'line-color': colours.accent,
        'line-width': 2,
        'line-opacity': ['case', ['boolean', ['feature-state', 'chosen'], false], 0.9, 0],
      },
    },
    {
      id: 'grid-label-2',
      type: 'symbol',
      source: 'grid-labels',
      filter: isLevel(2),
      maxzoom: 13.5,
      layout: {
        'text-field': ['get', 'name'],
        'text-font': FONT,
        'text-size': ['interpolate', ['linear'], ['zoom'], 10, 12, 13, 16],
        'text-letter-spacing': 0.08,
      },
      paint: label,
    },
    {
      id: 'grid-label-3',
      type: 'symbol',
      source: 'grid-labels',
      filter: isLevel(3),
      minzoom: 12.6,
      layout: { 'text-field': ['get', 'name'], 'text-font': FONT, 'text-size': 12 },
      paint: { ...label, 'text-opacity': 0.85 },
    },
    {
      id: 'permit-routes',
      type: 'line',
      source: 'permits',
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': colours['map-truck'],
        'line-width': ['interpolate', ['linear'], ['zoom'], 10, 1.2, 15, 4],
        'line-opacity': 0.5,
        'line-dasharray': [2, 1.4],
      },
    },
    {
      id: 'fence-areas',
      type: 'fill',
      source: 'fences',
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': shapeColour(colours), 'fill-opacity': 0.1 },
    },
    {
      id: 'fence-lines',
      type: 'line',
      source: 'fences',
      filter: ['!=', ['geometry-type'], 'Point'],
      paint: { 'line-color': shapeColour(colours), 'line-width': 1.6, 'line-opacity': 0.8 },
    },
    {
      id: 'fence-names',
      type: 'symbol',
      source: 'fences',
      minzoom: 12.5,
      layout: { 'text-field': ['get', 'name'], 'text-font': FONT, 'text-size': 12 },
      paint: label,
    },
    {
      id: 'shape-areas',
      type: 'fill',
      source: 'shapes',
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': shapeColour(colours), 'fill-opacity': 0.16 },
    },
    {
      id: 'shape-lines',
      type: 'line',
      source: 'shapes',
      filter: ['!=', ['geometry-type'], 'Point'],
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': shapeColour(colours),
        'line-width': ['match', ['get', 'tone'], 'corridor', 9, 'way', 3, 2],
        'line-opacity': ['match', ['get', 'tone'], 'corridor', 0.35, 0.95],
      },
    },
    {
      id: 'shape-points',
      type: 'circle',
      source: 'shapes',
      filter: ['==', ['geometry-type'], 'Point'],
      paint: {
        'circle-color': shapeColour(colours),
        'circle-radius': 5,
        'circle-stroke-color': colours.surface,
        'circle-stroke-width': 2,
      },
    },
    {
      id: 'moment',
      type: 'circle',
      source: 'moment',
      paint: {
        'circle-color': shapeColour(colours),
        'circle-radius': 8,
        'circle-stroke-color': colours.surface,
        'circle-stroke-width': 2,
      },
    },
    {
      id: 'track',
      type: 'line',
      source: 'track',
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': colours.accent, 'line-width': 3.5, 'line-opacity': 0.75 },
    },
    {
      id: 'trails',
      type: 'line',
      source: 'trails',
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': kindColour(colours), 'line-width': 2.4, 'line-opacity': 0.4 },
    },
    {
      id: 'fov',
      type: 'symbol',
      source: 'cameras',
      filter: ['!=', ['get', 'fov'], ''],
      minzoom: 11,
      layout: {
        'icon-image': ['get', 'fov'],
        'icon-rotate': ['get', 'heading'],
        'icon-rotation-alignment': 'map',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'icon-size': ['interpolate', ['exponential', 1.5], ['zoom'], 11, 0.35, 14, 0.75, 17, 1.9],
      },
    },
    {
      id: 'cases',
      type: 'symbol',
      source: 'cases',
      layout: {
        'icon-image': 'case',
        'icon-allow-overlap': true,
        'icon-offset': [11, -11],
        'icon-size': ['interpolate', ['linear'], ['zoom'], 10, 0.6, 14, 0.9],
      },
    },
    {
      id: 'camera-dots',
      type: 'circle',
      source: 'cameras',
      maxzoom: 0,
      paint: {
        'circle-color': [
          'match',
          ['get', 'icon'],
          'camera-blind',
          colours['level-2'],
          colours['map-camera'],
        ],
        'circle-radius': 2.6,
      },
    },
    {
      id: 'vehicle-dots',
      type: 'circle',
      source: 'vehicles',
      maxzoom: 0,
      paint: { 'circle-color': kindColour(colours), 'circle-radius': 3.2 },
    },
    {
      id: 'cameras',
      type: 'symbol',
      source: 'cameras',
      layout: {
        'icon-image': ['get', 'icon'],
        'icon-allow-overlap': true,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 10, 0.55, 14, 0.9, 17, 1.1],
      },
    },
    {
      id: 'camera-names',
      type: 'symbol',
      source: 'cameras',
      minzoom: 13.6,
      layout: {
        'text-field': ['get', 'name'],
        'text-font': FONT,
        'text-size': 12,
        'text-offset': [0, 1.2],
        'text-anchor': 'top',
        'text-optional': true,
      },
      paint: label,
    },
    {
      id: 'vehicles',
      type: 'symbol',
      source: 'vehicles',
      layout: {
        'icon-image': ['get', 'icon'],
        'icon-rotate': ['get', 'heading'],
        'icon-rotation-alignment': 'map',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 10, 0.6, 14, 0.95],
        'text-field': ['step', ['zoom'], '', 13, ['get', 'plate']],
        'text-font': FONT,
        'text-size': 12,
        'text-offset': [0, 1.15],
        'text-anchor': 'top',
        'text-optional': true,
      },
      paint: { ...label, 'text-color': colours['ink-2'] },
    },
    {
      id: 'alerts',
      type: 'symbol',
      source: 'alerts',
      filter: ['!', ['has', 'point_count']],
      layout: {
        'icon-image': ['get', 'icon'],
        'icon-allow-overlap': true,
        'symbol-sort-key': ['get', 'rank'],
        'icon-offset': ['array', 'number', 2, ['get', 'lift']],
        'icon-size': ['interpolate', ['linear'], ['zoom'], 10, 0.8, 15, 1.1],
      },
    },
    {
      id: 'alert-clusters',
      type: 'circle',
      source: 'alerts',
      filter: ['has', 'point_count'],
      paint: {
        'circle-radius': ['step', ['get', 'point_count'], 11, 10, 14, 100, 18],
        'circle-color': [
          'match',
          ['get', 'rank'],
          3,
          colours['level-3'],
          2,
          colours['level-2'],
          1,
          colours['level-1'],
          colours['map-off'],
        ],
        'circle-stroke-color': colours['map-halo'],
        'circle-stroke-width': 2,
        'circle-translate': [0, -15],
      },
    },
    {
      id: 'alert-counts',
      type: 'symbol',
      source: 'alerts',
      filter: ['has', 'point_count'],
      layout: {
        'text-field': ['get', 'point_count_abbreviated'],
        'text-font': FONT,
        'text-size': 12,
        'text-allow-overlap': true,
      },
      paint: { 'text-color': colours.surface, 'text-translate': [0, -15] },
    },
    {
      id: 'here',
      type: 'circle',
      source: 'here',
      paint: {
        'circle-radius': 17,
        'circle-color': 'rgba(0,0,0,0)',
        'circle-stroke-color': colours.accent,
        'circle-stroke-width': 2.5,
      },
    },
  ]
}

export function style(colours: Colours, base: BaseMap | null): StyleSpecification {
  const plain = { type: 'geojson' as const, data: EMPTY }
  return {
    version: 8,
    sources: {
      grids: { ...plain, promoteId: 'code' },
      'grid-labels': plain,
      cameras: { ...plain, promoteId: 'id' },
      vehicles: { ...plain, promoteId: 'id' },
      trails: plain,
      track: plain,
      shapes: plain,
      moment: plain,
      alerts: {
        ...plain,
        promoteId: 'id',
        cluster: true,
        clusterRadius: 26,
        clusterMaxZoom: 15,
        clusterProperties: { rank: ['max', ['get', 'rank']] },
      },
      cases: { ...plain, promoteId: 'id' },
      here: plain,
      coverage: plain,
      fences: plain,
      permits: plain,
      ...(base && { base: baseSource(base) }),
    },
    layers: layers(colours, base),
  }
}
