/** What a page does and reads: one act at a time, the latest question, and what went wrong. */

import { ref, type Ref, shallowRef, type ShallowRef } from 'vue'

import { ApiError, type Trouble } from './api/http'
import { latest } from './latest'
import { problemText } from './problem'

export interface Doing {
  busy: Ref<boolean>
  problem: Ref<string>
  /** Each fault of a file that was not taken. */
  troubles: ShallowRef<readonly Trouble[]>
  /** Run an act unless one runs; whether it went well. */
  doing: (act: () => Promise<unknown>) => Promise<boolean>
  /**
   * A question that is asked again and again: the answer to the latest is shown, one to an older
   * that comes later is dropped. Whether its answer was shown. What an act was told stays.
   */
  reading: <Asked extends unknown[], Answer>(
    ask: (...asked: Asked) => Promise<Answer>,
    show: (answer: Answer, ...asked: Asked) => void,
  ) => (...asked: Asked) => Promise<boolean>
}

export function useDoing(): Doing {
  const busy = ref(false)
  const problem = ref('')
  const troubles = shallowRef<readonly Trouble[]>([])

  function tell(error: unknown): void {
    troubles.value = error instanceof ApiError ? error.problems : []
    problem.value = problemText(error)
  }

  async function doing(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    problem.value = ''
    troubles.value = []
    try {
      await act()
      return true
    } catch (error) {
      tell(error)
      return false
    } finally {
      busy.value = false
    }
  }

  function reading<Asked extends unknown[], Answer>(
    ask: (...asked: Asked) => Promise<Answer>,
    show: (answer: Answer, ...asked: Asked) => void,
  ): (...asked: Asked) => Promise<boolean> {
    const asking = latest(ask)
    let said = ''
    return async (...asked) => {
      try {
        const found = await asking(...asked)
        if (!found) return false
        show(found.answer, ...asked)
        if (problem.value === said) problem.value = ''
        said = ''
        return true
      } catch (error) {
        tell(error)
        said = problem.value
        return false
      }
    }
  }

  return { busy, problem, troubles, doing, reading }
}
