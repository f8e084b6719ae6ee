/** The pages one can go to, in their order: a page is one row here and one in `router.ts`. */

import type { IconName } from './components/icons'
import type { Right } from './api/session'
import type { Key } from './i18n'

/** Rows of one group share a menu; a group of one row, or none of a group, needs no menu. */
export const GROUPS = {
  patrol: 'nav.groupPatrol',
  evaluation: 'nav.groupEvaluation',
  manage: 'nav.groupManage',
  admin: 'nav.groupAdmin',
} as const satisfies Record<string, Key>
export type Group = keyof typeof GROUPS

export interface Entry {
  /** The route's path. The row is marked as the present one on every path below it as well. */
  to: string
  key: Key
  icon: IconName
  group?: Group
  /** What the hub asks for on this page; who lacks it does not see the row. */
  right: Right
}

export const ENTRIES: readonly Entry[] = [
  { to: '/', key: 'nav.shift', icon: 'alert', right: 'read' },
  { to: '/cases', key: 'nav.cases', icon: 'case', right: 'read' },
  { to: '/cameras', key: 'nav.cameras', icon: 'camera', right: 'read' },
  { to: '/vehicles', key: 'nav.vehicles', icon: 'vehicle', right: 'read' },
  { to: '/patrol', key: 'nav.patrol', icon: 'route', group: 'patrol', right: 'read' },
  { to: '/duty', key: 'nav.duty', icon: 'people', group: 'patrol', right: 'read' },
  {
    to: '/evaluation',
    key: 'nav.evaluation',
    icon: 'chart',
    group: 'evaluation',
    right: 'read',
  },
  { to: '/wall', key: 'nav.wall', icon: 'screen', group: 'evaluation', right: 'read' },
  { to: '/reports', key: 'nav.reports', icon: 'send', group: 'manage', right: 'act' },
  { to: '/dispatch', key: 'nav.dispatch', icon: 'link', group: 'manage', right: 'read' },
  { to: '/ledgers', key: 'nav.ledgers', icon: 'case', group: 'evaluation', right: 'read' },
  { to: '/learning', key: 'nav.learning', icon: 'guide', group: 'manage', right: 'read' },
  { to: '/admin/people', key: 'nav.people', icon: 'person', group: 'admin', right: 'admin' },
  { to: '/admin/keys', key: 'nav.apiKeys', icon: 'key', group: 'admin', right: 'admin' },
  { to: '/admin/webhooks', key: 'nav.webhooks', icon: 'send', group: 'admin', right: 'admin' },
  { to: '/admin/history', key: 'nav.history', icon: 'clock', group: 'admin', right: 'admin' },
  { to: '/admin/devices', key: 'nav.devices', icon: 'camera', group: 'admin', right: 'admin' },
  { to: '/admin/grids', key: 'nav.grids', icon: 'layers', group: 'admin', right: 'admin' },
  { to: '/admin/matters', key: 'nav.matters', icon: 'clock', group: 'admin', right: 'admin' },
  { to: '/admin/quarantine', key: 'nav.quarantine', icon: 'alert', group: 'admin', right: 'admin' },
]

export interface Menu {
  group: Group
  key: Key
  entries: Entry[]
}

/** What stands in the bar, in order: single pages, and menus where their first page would stand. */
export function arrange(
  may: (right: Right) => boolean,
  entries: readonly Entry[] = ENTRIES,
): (Entry | Menu)[] {
  const seen = entries.filter((entry) => may(entry.right))
  const placed: (Entry | Menu)[] = []
  for (const entry of seen) {
    const { group } = entry
    const members = group ? seen.filter((other) => other.group === group) : [entry]
    if (!group || members.length === 1) placed.push(entry)
    else if (members[0] === entry) placed.push({ group, key: GROUPS[group], entries: members })
  }
  return placed
}

/** The row of the page at this path: the longest that the path lies under. */
export function entryAt(path: string, entries: readonly Entry[] = ENTRIES): Entry | undefined {
  const under = entries.filter(
    ({ to }) => path === to || (to !== '/' && path.startsWith(`${to}/`)),
  )
  return under.toSorted((a, b) => b.to.length - a.to.length)[0]
}
