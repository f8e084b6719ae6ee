/** Server-sent events from a stream of text: what EventSource hides (comments) is kept as a sign of life. */

export interface ServerEvent {
  id: string
  kind: string
  data: string
}

export class EventReader {
  private rest = ''
  private id = ''
  private kind = ''
  private data: string[] = []

  /** The events completed by this piece of text. */
  read(text: string): ServerEvent[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/)
    this.rest = lines.pop() ?? ''
    const events: ServerEvent[] = []
    for (const line of lines) {
      if (line === '') this.finish(events)
      else this.take(line)
    }
    return events
  }

  private take(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'data') this.data.push(value)
    else if (name === 'event') this.kind = value
    else if (name === 'id') this.id = value
  }

  private finish(events: ServerEvent[]): void {
    if (this.data.length > 0 || this.kind) {
      events.push({ id: this.id, kind: this.kind || 'message', data: this.data.join('\n') })
    }
    this.kind = ''
    this.data = []
  }
}
