import { describe, expect, it } from 'vitest'

import { EventReader } from './sse'

const rows: [string, string[], unknown][] = [
  [
    'one event',
    ['id: 4\nevent: alert\ndata: {"a":1}\n\n'],
    [{ id: '4', kind: 'alert', data: '{"a":1}' }],
  ],
  [
    'an event cut anywhere',
    ['id: 4\nev', 'ent: alert\nda', 'ta: {}\n', '\n'],
    [{ id: '4', kind: 'alert', data: '{}' }],
  ],
  ['a comment', [': still here\n\n'], []],
  ['two lines of data', ['data: a\ndata: b\n\n'], [{ id: '', kind: 'message', data: 'a\nb' }]],
  ['carriage returns', ['event: resync\r\ndata:\r\n\r\n'], [{ id: '', kind: 'resync', data: '' }]],
  [
    'an id that stays',
    ['id: 7\ndata: a\n\ndata: b\n\n'],
    [
      { id: '7', kind: 'message', data: 'a' },
      { id: '7', kind: 'message', data: 'b' },
    ],
  ],
  ['an unfinished event', ['event: alert\ndata: {}\n'], []],
]

describe('EventReader', () => {
  it.each(rows)('%s', (_given, pieces, expected) => {
    const reader = new EventReader()
    expect(pieces.flatMap((piece) => reader.read(piece))).toEqual(expected)
  })
})
