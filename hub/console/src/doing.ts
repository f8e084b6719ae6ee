/** One act at a time on a page: whether it runs, and what went wrong with it. */

import { ref, type Ref, shallowRef, type ShallowRef } from 'vue'

import { ApiError, type Trouble } from './api/http'
import { problemText } from './problem'

export interface Doing {
  busy: Ref<boolean>
  problem: Ref<string>
  /** Each fault of a file that was not taken. */
  troubles: ShallowRef<readonly Trouble[]>
  /** Run an act unless one runs; whether it went well. */
  doing: (act: () => Promise<unknown>) => Promise<boolean>
  /** The same beside one that runs: for what only reads. */
  telling: (act: () => Promise<unknown>) => Promise<boolean>
}

export function useDoing(): Doing {
  const busy = ref(false)
  const problem = ref('')
  const troubles = shallowRef<readonly Trouble[]>([])

  async function telling(act: () => Promise<unknown>): Promise<boolean> {
    problem.value = ''
    troubles.value = []
    try {
      await act()
      return true
    } catch (error) {
      troubles.value = error instanceof ApiError ? error.problems : []
      problem.value = problemText(error)
      return false
    }
  }

  async function doing(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    try {
      return await telling(act)
    } finally {
      busy.value = false
    }
  }

  return { busy, problem, troubles, doing, telling }
}
