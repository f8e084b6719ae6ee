/** What went wrong with a request, in the operator's words. */

import { ApiError } from './api/http'
import { codedText } from './coded'
import { t } from './i18n'
import { refusalText } from './refusal'

export function problemText(error: unknown): string {
  if (!(error instanceof ApiError) || !error.status) return t('app.noLine')
  const { code, message, remedy, coded } = error
  return refusalText({
    code,
    message: codedText(coded?.['message'] ?? message),
    remedy: codedText(coded?.['allowed'] ?? remedy),
  })
}
