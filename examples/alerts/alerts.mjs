// Rebuilds what stands wrong from offset 0, then waits for an alert of a rule.
import { Kafka, logLevel } from 'kafkajs'

const topic = 'plumbline.alert-states'

export class World {
  alerts = new Map()

  // A group of its own for each copy: everybody reads everything from the start.
  async follow(brokers, changed) {
    const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'alerts', logLevel: logLevel.ERROR })
    this.consumer = kafka.consumer({ groupId: `alerts-${process.pid}-${Date.now()}`, readUncommitted: false })
    await this.consumer.connect()
    await this.consumer.subscribe({ topic, fromBeginning: true })
    await this.consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        if (!message.value?.length) this.alerts.delete(message.key.toString()) // forgotten, 30 days after its end
        else this.apply(JSON.parse(message.value.toString()).data)
        changed()
      },
    })
  }

  // Records repeat: only a higher seq is news.
  apply(alert) {
    if (alert.seq > (this.alerts.get(alert.id)?.seq ?? 0)) this.alerts.set(alert.id, alert)
  }

  standing(rule) {
    return [...this.alerts.values()].find((a) => a.rule === rule && a.status !== 'resolved')
  }
}

if (process.argv.length !== 4) {
  console.error('usage: node alerts.mjs BROKERS RULE')
  process.exit(2)
}
const world = new World()
await world.follow(process.argv[2], () => {
  const a = world.standing(process.argv[3])
  if (!a) return
  console.log(`node: ${a.severity} ${a.rule}: ${a.summary}`)
  process.exit(0)
})
