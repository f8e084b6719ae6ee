/** Judging alerts: sent in the background, so that the operator is on the next one at once. */

import { reactive } from 'vue'

import { type Alert, alert as readAlert, decide, type Decision } from '../api/alerts'
import { fileCase } from '../api/cases'
import { ApiError } from '../api/http'
import { t } from '../i18n'
import { problemText } from '../problem'
import { alerts, putAlert, putCase } from './city'
import { learnConditions } from './conditions'
import { drafts, forget } from './drafts'
import { toast } from './toasts'

/** Ids of alerts whose decision is on its way. */
export const deciding = reactive(new Set<string>())
/** What went wrong with a decision, by alert. */
export const problems = reactive(new Map<string, string>())

export function noteKey(id: string): string {
  return `alert ${id}`
}

export async function reread(id: string): Promise<void> {
  try {
    putAlert(await readAlert(id))
  } catch {
    // The list's own copy stays; the stream brings the rest.
  }
}

/**
 * Send a decision; never throws: a failure is told and kept in `problems`. `condition`: the one a
 * case is filed under, where its matter has several.
 */
export async function judge(item: Alert, decision: Decision, condition?: number): Promise<void> {
  const { id } = item
  deciding.add(id)
  problems.delete(id)
  try {
    const answer = await decide(id, decision, drafts[noteKey(id)] ?? '')
    forget(noteKey(id))
    putAlert(answer)
    await tellDecided(answer, condition)
  } catch (error) {
    const problem = await explain(error, id)
    problems.set(id, problem)
    toast(problem, 'bad', { to: `/?alert=${encodeURIComponent(id)}`, text: t('alert.look') })
  } finally {
    deciding.delete(id)
  }
}

/** A confirmed alert has a case; filing it is the second half of "confirm and file". */
async function tellDecided(answer: Alert, condition?: number): Promise<void> {
  if (answer.decision !== 'confirmed' || !answer.case) {
    toast(t(answer.decision === 'false_alarm' ? 'alert.markedFalse' : 'alert.confirmed'))
    return
  }
  const { id, number } = answer.case
  const link = { to: `/cases/${id}`, text: t('alert.openCase', { number: '' }).trim() }
  try {
    putCase(await fileCase(id, condition))
    toast(t('alert.filed', { number }), 'good', link)
  } catch (error) {
    if (error instanceof ApiError && error.code === 'condition_needed') void learnConditions()
    toast(t('alert.notFiled', { number }), 'bad', link)
  }
}

async function explain(error: unknown, id: string): Promise<string> {
  if (error instanceof ApiError && error.status === 409) {
    await reread(id)
    const now = alerts.get(id)
    if (now?.duplicate_of) return t('merge.merged')
    return t('alert.conflict', {
      who: now?.decided_by ?? t('app.unknown'),
      what: now?.decision ? t(`alert.${now.decision}`) : t('app.unknown'),
    })
  }
  return t('alert.notSent', { message: problemText(error) })
}
