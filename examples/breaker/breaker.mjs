// Waits until an agent is stopped, as a gateway would check it before each write.
import { Kafka, logLevel } from 'kafkajs'

const topic = 'plumbline.agent-states'

export class Breaker {
  states = new Map()

  // A group of its own for each copy: everybody reads everything from the start.
  async follow(brokers, changed) {
    const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'breaker', logLevel: logLevel.ERROR })
    this.consumer = kafka.consumer({ groupId: `breaker-${process.pid}-${Date.now()}`, readUncommitted: false })
    await this.consumer.connect()
    await this.consumer.subscribe({ topic, fromBeginning: true })
    await this.consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        const key = message.key.toString()
        if (message.value === null) this.states.delete(key)
        else this.states.set(key, JSON.parse(message.value.toString()))
        changed()
      },
    })
  }

  stopped(agent) {
    for (const [key, s] of this.states) if (key.endsWith(`/${agent}`) && s.state === 'tripped') return s
  }
}

if (process.argv.length !== 4) {
  console.error('usage: node breaker.mjs BROKERS AGENT')
  process.exit(2)
}
const breaker = new Breaker()
await breaker.follow(process.argv[2], () => {
  const s = breaker.stopped(process.argv[3])
  if (!s) return
  console.log(`node: ${s.agent} is stopped by ${s.rule}: it ${s.reason}`)
  process.exit(0)
})
