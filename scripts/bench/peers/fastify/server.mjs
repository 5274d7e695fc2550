// A webhook receiver as a team would write it with Fastify and kafkajs: check
// HubSpot's v3 signature, parse, wait for all in-sync replicas, answer 202.
import { createHmac, timingSafeEqual } from 'node:crypto'
import Fastify from 'fastify'
import { Kafka, logLevel } from 'kafkajs'

const { LISTEN, BROKER, TOPIC, SECRET, PUBLIC_URL } = process.env
const kafka = new Kafka({ clientId: 'peer', brokers: [BROKER], logLevel: logLevel.ERROR })
const producer = kafka.producer({ allowAutoTopicCreation: false })
await producer.connect()

const app = Fastify({ bodyLimit: 8 << 20 })
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_req, body, done) => done(null, body))
app.post('/hooks/hubspot-main', async (req, reply) => {
  const stamp = req.headers['x-hubspot-request-timestamp'] ?? ''
  const given = Buffer.from(req.headers['x-hubspot-signature-v3'] ?? '', 'base64')
  const want = createHmac('sha256', SECRET).update('POST' + PUBLIC_URL).update(req.body).update(stamp).digest()
  if (given.length !== want.length || !timingSafeEqual(given, want) || Math.abs(Date.now() - Number(stamp)) > 300_000) {
    return reply.code(401).send({ error: 'signature refused' })
  }
  const messages = JSON.parse(req.body).map((e) => ({ key: `${e.portalId}/${e.objectId}`, value: JSON.stringify(e) }))
  await producer.send({ topic: TOPIC, acks: -1, messages })
  return reply.code(202).send({ accepted: messages.length })
})
const [host, port] = LISTEN.split(':')
await app.listen({ host, port: Number(port) })
