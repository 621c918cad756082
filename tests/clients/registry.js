// KafkaJS's client of schema registries: registers schemas of each language, writes a record and reads it again.

const assert = require('assert')
const { SchemaRegistry, SchemaType, COMPATIBILITY } = require('@kafkajs/confluent-schema-registry')

const berth = kind => JSON.stringify({
  type: 'record', name: 'berth', namespace: 'harbour', fields: [{ name: 'id', type: kind }, { name: 'name', type: 'string' }]
})

// A client of the registry at `url`, which may hold `user:password@`.
function open(url) {
  const { protocol, host, username, password } = new URL(url)
  return new SchemaRegistry({ host: `${protocol}//${host}`, auth: username ? { username, password } : undefined })
}

async function main(url) {
  const registry = open(url)
  const row = { id: 7, name: 'é' }
  const schemas = {
    avro: { type: SchemaType.AVRO, schema: berth('int') },
    json: {
      type: SchemaType.JSON,
      schema: JSON.stringify({ type: 'object', properties: { id: { type: 'integer' }, name: { type: 'string' } } })
    },
    proto: {
      type: SchemaType.PROTOBUF,
      schema: 'syntax = "proto3"; package harbour; message Berth { int32 id = 1; string name = 2; }'
    }
  }
  for (const [name, schema] of Object.entries(schemas)) {
    const options = { subject: `js-${name}-value`, compatibility: COMPATIBILITY.FULL }
    const { id } = await registry.register(schema, options)
    assert.strictEqual((await registry.register(schema, options)).id, id)
    assert.strictEqual(await registry.getLatestSchemaId(`js-${name}-value`), id)
    assert.strictEqual(await registry.getRegistryId(`js-${name}-value`, 1), id)
    assert.strictEqual(await registry.getRegistryIdBySchema(`js-${name}-value`, schema), id)
    // Another client has nothing but the id.
    const encoded = await registry.encode(id, row)
    const decoded = await open(url).decode(encoded)
    assert.deepStrictEqual({ id: decoded.id, name: decoded.name }, row)
  }
  const wrong = registry.register({ type: SchemaType.AVRO, schema: berth('string') }, {
    subject: 'js-avro-value', compatibility: COMPATIBILITY.FULL
  })
  await assert.rejects(wrong, error => error.status === 409 || /incompatible/.test(error.message))
  await assert.rejects(open(url).getSchema(4711))
  console.log('records of every language came back')
}

main(process.argv[2]).catch(error => {
  console.error(error)
  process.exit(1)
})
