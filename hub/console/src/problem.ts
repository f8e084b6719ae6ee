/** What went wrong with a request, in the operator's words. */

import { ApiError } from './api/http'
import { t } from './i18n'
import { refusalText } from './refusal'

export function problemText(error: unknown): string {
  return error instanceof ApiError && error.status ? refusalText(error) : t('app.noLine')
}
