/** What went wrong with a request, in the operator's words where the hub's say too little. */

import { ApiError } from './api/http'
import { t } from './i18n'

export function problemText(error: unknown): string {
  if (!(error instanceof ApiError) || !error.status) return t('app.noLine')
  return error.remedy ? t('app.problem', { what: error.message, allowed: error.remedy }) : error.message
}
