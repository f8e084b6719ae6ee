/** One act at a time on a page: whether it runs, and what went wrong with it. */

import { ref, type Ref } from 'vue'

import { problemText } from './problem'

export interface Doing {
  busy: Ref<boolean>
  problem: Ref<string>
  /** Run an act unless one runs; whether it went well. */
  doing: (act: () => Promise<unknown>) => Promise<boolean>
}

export function useDoing(): Doing {
  const busy = ref(false)
  const problem = ref('')

  async function doing(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    problem.value = ''
    try {
      await act()
      return true
    } catch (error) {
      problem.value = problemText(error)
      return false
    } finally {
      busy.value = false
    }
  }

  return { busy, problem, doing }
}
