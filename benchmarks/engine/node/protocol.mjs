// The same contract as protocol.py: one order in JSON on the command line, the answer as the last line.

import { existsSync, closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const POLL_MS = 2
const HOLD_POLL_MS = 20

export class Work {
  constructor (order, expected) {
    this.order = order
    this.expected = expected
    this.ran = 0
    this.startedAt = null
    this.endedAt = 0
    this.giveUpAt = performance.now() + order.give_up_seconds * 1000
    this.allRan = new Promise(resolve => { this.resolve = resolve })
  }

  async do (number, held = false) {
    this.startedAt ??= performance.now()
    if (held) {
      closeSync(openSync(join(this.order.folder, `started-${this.order.role}-${number}`), 'w'))
      const release = join(this.order.folder, `release-${this.order.role}`)
      while (!existsSync(release) && performance.now() < this.giveUpAt) await sleep(HOLD_POLL_MS)
    }
    this.ran += 1
    if (this.ran >= this.expected) this.resolve()
  }

  async wait () {
    const timer = new AbortController()
    const late = sleep(this.giveUpAt - performance.now(), null, { signal: timer.signal }).catch(() => {})
    await Promise.race([this.allRan, late])
    timer.abort()
    const giveUpAt = this.order.role === 'zombie' ? performance.now() + 2000 : this.giveUpAt
    const client = new pg.Client(this.order.url)
    await client.connect()
    while (performance.now() < giveUpAt) {
      const { rows: [row] } = await client.query({ text: this.order.open_jobs, rowMode: 'array' })
      if (Number(row[0]) === 0) break
      await sleep(POLL_MS)
    }
    this.endedAt = performance.now()
    await client.end()
  }

  get seconds () {
    return this.startedAt === null ? 0 : (this.endedAt - this.startedAt) / 1000
  }
}

export async function serve (adapter) {
  const order = JSON.parse(process.argv[2])
  if (order.action === 'run' || order.action === 'production') {
    const work = new Work(order, order.action === 'run' ? order.jobs : order.jobs * 43)
    await adapter[order.action](order, work)
    console.log(JSON.stringify({ jobs: work.ran, seconds: work.seconds }))
  } else {
    const started = performance.now()
    await adapter[order.action](order)
    console.log(JSON.stringify({ jobs: order.jobs, seconds: (performance.now() - started) / 1000 }))
  }
  process.exit(0)
}
