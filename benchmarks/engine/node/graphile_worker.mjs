// graphile-worker: one runner with `concurrency` workers, LISTEN/NOTIFY on, each job claimed and completed on its own.

import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import { serve } from './protocol.mjs'

const logger = new Logger(() => () => {})

async function withUtils (order, task) {
  const utils = await makeWorkerUtils({ connectionString: order.url, logger })
  try {
    return await task(utils)
  } finally {
    await utils.release()
  }
}

await serve({
  prepare: order => withUtils(order, utils => utils.migrate()),

  submit: order => withUtils(order, async utils => {
    const jobs = Array.from({ length: order.jobs }, (_, number) => ({ number, held: order.held }))
    if (order.each) {
      for (const job of jobs) await utils.addJob('job', job)
    } else {
      await utils.addJobs(jobs.map(payload => ({ identifier: 'job', payload })))
    }
  }),

  async run (order, work) {
    const runner = await run({
      connectionString: order.url,
      concurrency: order.workers,
      maxPoolSize: Math.max(10, order.workers + 2),
      noHandleSignals: true,
      logger,
      taskList: { job: payload => work.do(payload.number, payload.held) }
    })
    await work.wait()
    await runner.stop()
  },

  // Its own answer to a worker that is known to be dead; without it a lock is kept for four hours.
  recover: order => withUtils(order, async utils => {
    const locked = await utils.withPgClient(client => client.query(
      'select distinct locked_by from graphile_worker._private_jobs where locked_by is not null'
    ))
    await utils.forceUnlockWorkers(locked.rows.map(row => row.locked_by))
  })
})
