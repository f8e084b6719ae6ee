/** The city's opening conditions, for filing from the queue: one is chosen where a matter has several. */

import type { Alert } from '../api/alerts'
import type { Condition } from '../api/cases'
import { type ConditionRow, conditionRows } from '../api/matters'
import { cases } from './city'

let reading: Promise<ConditionRow[]> | null = null

/** Read the table, for the first time or anew. */
export function learnConditions(): Promise<ConditionRow[]> {
  reading = conditionRows().catch(() => {
    // Unread it is asked for again, and the hub itself says where a choice is needed.
    reading = null
    return []
  })
  return reading
}

/** What has to be chosen from to confirm and file an alert; nothing where no choice is needed. */
export async function choicesFor(item: Alert): Promise<Condition[]> {
  const rows = (await (reading ?? learnConditions())).filter(
    (row) => row.matter === item.matter?.code,
  )
  const state = item.case && cases.get(String(item.case.id))?.state
  const isFiled = state && state !== 'reported' && state !== 'verifying_report'
  return rows.length > 1 && !isFiled ? rows : []
}
