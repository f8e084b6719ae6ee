/**
 * A question that is asked again and again: only the latest counts. What is answered to an older one,
 * or went wrong with it, is null.
 */
export function latest<Asked extends unknown[], Answer>(
  ask: (...asked: Asked) => Promise<Answer>,
): (...asked: Asked) => Promise<{ answer: Answer } | null> {
  let turn = 0
  return async (...asked) => {
    const mine = ++turn
    try {
      const answer = await ask(...asked)
      return mine === turn ? { answer } : null
    } catch (error) {
      if (mine === turn) throw error
      return null
    }
  }
}
