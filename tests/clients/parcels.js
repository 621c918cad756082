// Parcels in Avro by KafkaJS's client of schema registries.
//
//   parcels.js write URL   lines TOPIC KEY VALUE, bytes as 0x…; there are no keys
//   parcels.js read URL    such lines on standard input; what the client makes of the values, as lines TOPIC JSON

const readline = require('readline')
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry')

const parcel = JSON.stringify({
  type: 'record', name: 'Parcel', namespace: 'post.js', fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'fee', type: { type: 'bytes', logicalType: 'decimal', precision: 8, scale: 2 } },
    { name: 'posted_on', type: { type: 'int', logicalType: 'date' } },
    { name: 'scanned_at', type: ['null', { type: 'long', logicalType: 'timestamp-millis' }] },
    { name: 'code', type: { type: 'fixed', name: 'Code', size: 3 } },
    { name: 'service', type: { type: 'enum', name: 'Service', symbols: ['STANDARD', 'EXPRESS'] } },
    { name: 'sizes', type: { type: 'map', values: 'int' } },
    { name: 'stops', type: { type: 'array', items: { type: 'record', name: 'Stop', fields: [{ name: 'town', type: 'string' }] } } },
    { name: 'sender', type: ['null', { type: 'record', name: 'Person', fields: [
      { name: 'name', type: 'string' }, { name: 'city', type: ['null', 'string'] }] }] }
  ]
})

const rows = [
  {
    id: 9000000001, note: 'é', fee: Buffer.from([0xfe, 0x1d, 0xc6]), posted_on: -1, scanned_at: 1709208000250, code: Buffer.from('abc'),
    service: 'EXPRESS', sizes: { wide: 40 }, stops: [{ town: 'Évora' }, { town: 'Faro' }], sender: { name: 'Ines', city: null }
  },
  {
    id: -1, note: null, fee: Buffer.from([1]), posted_on: 19782, scanned_at: null, code: Buffer.from([0, 1, 2]), service: 'STANDARD',
    sizes: {}, stops: [], sender: null
  }
]

async function write (registry) {
  const { id } = await registry.register({ type: SchemaType.AVRO, schema: parcel }, { subject: 'parcels-js-value' })
  for (const row of rows) {
    const encoded = await registry.encode(id, row)
    console.log(`parcels-js  0x${encoded.toString('hex')}`)
  }
}

// JSON has no bytes.
const plain = value => JSON.stringify(value, (_, part) => part && part.type === 'Buffer' ? `0x${Buffer.from(part.data).toString('hex')}` : part)

async function read (registry) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [topic, , value] = line.split(' ')
    console.log(topic, value ? plain(await registry.decode(Buffer.from(value.slice(2), 'hex'))) : 'null')
  }
}

const [step, url] = process.argv.slice(2)
const steps = { write, read }
steps[step](new SchemaRegistry({ host: url })).catch(error => {
  console.error(error)
  process.exit(1)
})
