/** What is wrong with a camera's settings, each where it stands and in the reader's language. */

import type { Faults } from './api/settings'
import { saidFaults } from './coded'
import { t, word } from './i18n'
import { zoneOfFault } from './zones'

export interface ZoneFault {
  /** The zone it is about, by its place in the list; -1 for the others. */
  zone: number
  text: string
}

export function zoneFaults(found: Faults): ZoneFault[] {
  const texts = saidFaults(found)
  return found.faults.map((fault, at) => {
    const empty = /\.(\w+): String should have at least 1/.exec(fault)?.[1]
    const text = empty ? t('zone.needed', { what: word('zone', empty) }) : plain(texts[at] ?? fault)
    return { zone: zoneOfFault(fault), text }
  })
}

/** Without what only the validator's own reader needs. */
function plain(fault: string): string {
  return fault
    .replace(/^document: /, '')
    .replace('Value error, ', '')
    .replace(/ \(got '…'\)$/, '')
}
