// pg-boss: `workers` workers in one process (localConcurrency), NOTIFY on, fetching again while there is more.
// Its default of one fetch per two seconds would allow half a job a second and worker.

import { PgBoss } from 'pg-boss'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from './protocol.mjs'

const QUEUE = 'job'

async function start (order, options = {}) {
  const boss = new PgBoss({ connectionString: order.url, max: Math.max(10, order.workers + 2), ...options })
  boss.on('error', () => {})
  await boss.start()
  return boss
}

// It fetches without a pause only while its cached count of ready jobs is above a threshold; by default that count is a
// minute old. Here it is counted, and read again each second.
async function startKnowingTheBacklog (order) {
  const boss = await start(order, { superviseIntervalSeconds: 1, monitorIntervalSeconds: 1, queueCacheIntervalSeconds: 1 })
  await sleep(1100)
  await boss.supervise(QUEUE)
  await sleep(1500)
  return boss
}

await serve({
  async prepare (order) {
    const boss = await start(order)
    await boss.createQueue(QUEUE, { notify: true, retryLimit: 10 })
    await boss.stop({ graceful: false })
  },

  async submit (order) {
    const boss = await start(order, { supervise: false })
    const jobs = Array.from({ length: order.jobs }, (_, number) => ({ number, held: order.held }))
    const options = order.held ? { expireInSeconds: 1 } : {}
    if (order.each) {
      for (const job of jobs) await boss.send(QUEUE, job, options)
    } else {
      await boss.insert(QUEUE, jobs.map(data => ({ data, ...options })))
    }
    await boss.stop({ graceful: false })
  },

  async run (order, work) {
    const boss = await startKnowingTheBacklog(order)
    const options = {
      localConcurrency: Math.max(1, Math.floor(order.workers / order.batch)),
      batchSize: order.batch,
      pollingIntervalSeconds: 0.5,
      burstWhenBatchFull: order.batch > 1,
      burstWhenReadyExceeds: 1
    }
    await boss.work(QUEUE, options, async jobs => {
      await Promise.all(jobs.map(job => work.do(job.data.number, job.data.held)))
    })
    await work.wait()
    await boss.stop({ graceful: false })
  },

  // Its supervisor fails what has expired, and its queue retries that.
  async recover (order) {
    await sleep(2000)
    const boss = await start(order, { superviseIntervalSeconds: 1, monitorIntervalSeconds: 1 })
    await boss.supervise(QUEUE)
    await sleep(1500)
    await boss.stop({ graceful: false })
  },

  async production (order, work) {
    const boss = await start(order, { supervise: false })
    for (let number = 0; number < order.jobs; number++) {
      const item = (ref, dependsOn) => ({ ref, name: QUEUE, data: { number }, dependsOn })
      const items = Array.from({ length: 40 }, (_, n) => `item-${n}`)
      await boss.flow([
        item('plan'), ...items.map(ref => item(ref, ['plan'])), item('pair', items), item('render', ['pair'])
      ])
    }
    await boss.stop({ graceful: false })
    const worker = await startKnowingTheBacklog(order)
    await worker.work(QUEUE, {
      localConcurrency: order.workers, batchSize: 1, pollingIntervalSeconds: 0.5, burstWhenReadyExceeds: 1
    }, async ([job]) => work.do(job.data.number))
    await work.wait()
    await worker.stop({ graceful: false })
  }
})
