// Node.js against a server: the package ksqldb-client, and what other programs send, byte for byte where it matters.
//
//   ksqldb_clients.js client URL     ksqldb-client, HTTP/2 with prior knowledge
//   ksqldb_clients.js java URL       the requests of ksqlDB's Java client (AKHQ, Conduktor): HTTP/2 with prior knowledge, no content type
//   ksqldb_clients.js kafka-ui URL   the requests of Kafka UI: HTTP/1.1

const assert = require('assert')
const http = require('http')
const http2 = require('http2')

const earliest = { 'auto.offset.reset': 'earliest' }
const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))

// Asks until the answer is as wanted: a table follows its topic.
async function until(ask, isWanted) {
  for (let i = 0; i < 200; i++) {
    const answer = await ask()
    if (isWanted(answer)) return answer
    await pause(50)
  }
  assert.fail('the answer has not come')
}

async function client(url) {
  const KsqldbClient = require('ksqldb-client')
  const { hostname, port } = new URL(url)
  const client = new KsqldbClient({ host: `http://${hostname}`, port })
  await client.connect()
  const columns = '(k VARCHAR KEY, v INT)'
  const options = "WITH (kafka_topic='js_in', value_format='json', partitions=1)"
  const created = await client.executeStatement(`CREATE STREAM js_in ${columns} ${options};`)
  assert.strictEqual(created.status, 200)
  assert.strictEqual(created.data.rows[0].commandStatus.message, 'Stream created')
  const table = await client.executeStatement('CREATE TABLE js_sum AS SELECT k, SUM(v) AS total FROM js_in GROUP BY k;',
    { streamsProperties: earliest })
  const query = table.data.rows[0].commandStatus.queryId
  const wrong = await client.executeStatement(`CREATE STREAM js_in ${columns} ${options};`)
  assert.strictEqual(wrong.status, 400)
  assert.strictEqual(wrong.error.error_code, 40001)
  assert.deepStrictEqual((await client.listStreams()).map(one => one.name), ['JS_IN'])
  assert.deepStrictEqual((await client.listTables()).map(one => [one.name, one.isWindowed]), [['JS_SUM', false]])
  assert.ok((await client.listTopics()).some(one => one.name === 'js_in'))
  assert.deepStrictEqual((await client.listQueries()).map(one => [one.id, one.queryType, one.statusCount.RUNNING]),
    [[query, 'PERSISTENT', 1]])
  assert.strictEqual((await client.describeSource('js_in')).fields[0].type, 'KEY')

  for (const row of [{ K: 'a', V: 1 }, { k: 'a', v: 2 }, { K: 'b', V: 3 }]) {
    assert.deepStrictEqual((await client.insertInto('js_in', row)).data.rows, [{ status: 'ok', seq: 0 }])
  }
  const refused = await client.insertInto('js_in', { K: 'a', V: 'many' })
  assert.strictEqual(refused.error.status, 'error')

  // It reads every frame as one row.
  const rows = []
  const pushed = await client.streamQuery('SELECT k, v FROM js_in EMIT CHANGES LIMIT 3;',
    ({ rows: some }) => rows.push(...some || []), { streamsProperties: earliest })
  assert.strictEqual(pushed.status, 200)
  assert.deepStrictEqual(rows, [{ K: 'a', V: 1 }, { K: 'a', V: 2 }, { K: 'b', V: 3 }])
  const pulled = await until(() => client.query("SELECT k, total FROM js_sum WHERE k = 'a';"),
    answer => answer.data.rows.length === 1 && answer.data.rows[0].TOTAL === 3)
  assert.deepStrictEqual(pulled.data.metadata.columnTypes, ['STRING', 'INTEGER'])
  assert.strictEqual((await client.query('SELECT nothing FROM js_in;')).error.error_code, 40001)

  let queryId
  const open = client.streamQuery('SELECT k FROM js_in EMIT CHANGES;', ({ metadata }) => { queryId = metadata.queryId })
  await until(async () => queryId, id => id)
  assert.strictEqual((await client.terminatePushQuery(queryId)).status, 200)
  await open
  assert.strictEqual((await client.terminatePushQuery('nobody')).status, 400)
  for (const statement of [`TERMINATE ${query};`, 'DROP TABLE js_sum DELETE TOPIC;', 'DROP STREAM js_in DELETE TOPIC;']) {
    assert.strictEqual((await client.executeStatement(statement)).status, 200, statement)
  }
  await client.disconnect()
}

// A request of HTTP/2 and what comes back, frame by frame.
function ask(session, method, path, body, { open = false, accept } = {}) {
  const headers = { ':method': method, ':path': path }
  if (accept) headers.accept = accept
  const stream = session.request(headers, { endStream: false })
  const exchange = { stream, frames: [], text: '' }
  exchange.head = new Promise((resolve, reject) => {
    stream.on('response', head => resolve(head))
    stream.on('error', reject)
  })
  exchange.end = new Promise((resolve, reject) => {
    stream.on('end', resolve)
    stream.on('error', reject)
  })
  stream.setEncoding('utf8')
  stream.on('data', text => { exchange.frames.push(text); exchange.text += text })
  if (body !== undefined) stream.write(body)
  if (!open) stream.end()
  return exchange
}

async function java(url) {
  const session = http2.connect(url)
  const whole = async (method, path, body, options) => {
    const exchange = ask(session, method, path, body && JSON.stringify(body), options)
    const status = (await exchange.head)[':status']
    await exchange.end
    return { status, text: exchange.text, json: () => JSON.parse(exchange.text) }
  }
  // serverInfo() sends a body with GET.
  const info = await whole('GET', '/info', {})
  assert.deepStrictEqual(['version', 'kafkaClusterId', 'ksqlServiceId'].filter(name => !info.json().KsqlServerInfo[name]), [])
  // executeStatement() and listings want an array of exactly one entity.
  const statement = async ksql => {
    const answer = await whole('POST', '/ksql', { ksql, streamsProperties: earliest, sessionVariables: {} })
    assert.strictEqual(answer.status, 200, answer.text)
    assert.strictEqual(answer.json().length, 1, answer.text)
    return answer.json()[0]
  }
  const created = await statement("CREATE STREAM java_in (k VARCHAR KEY, v INT) WITH (kafka_topic='java_in', value_format='json', partitions=1);")
  assert.strictEqual(created['@type'], 'currentStatus')
  const table = await statement('CREATE TABLE java_sum AS SELECT k, SUM(v) AS total FROM java_in GROUP BY k;')
  const there = await statement("CREATE STREAM IF NOT EXISTS java_in (k VARCHAR KEY, v INT) WITH (kafka_topic='java_in', value_format='json');")
  assert.ok(there.commandStatus.message.includes('already exists'), JSON.stringify(there))
  assert.strictEqual((await statement('DROP STREAM IF EXISTS java_nothing;'))['@type'].length > 0, true)
  for (const [sql, kind, member] of [['LIST STREAMS;', 'streams', 'streams'], ['LIST TABLES;', 'tables', 'tables'],
    ['LIST TOPICS;', 'kafka_topics', 'topics'], ['LIST QUERIES;', 'queries', 'queries']]) {
    const entity = await statement(sql)
    assert.strictEqual(entity['@type'], kind)
    assert.ok(entity[member].length > 0, sql)
  }
  const described = (await statement('DESCRIBE java_in;')).sourceDescription
  for (const name of ['fields', 'readQueries', 'writeQueries', 'timestamp', 'windowType', 'statement', 'keyFormat', 'valueFormat']) {
    assert.ok(name in described, name)
  }

  // streamInserts(): the target as a frame of its own, the request stays open, rows come when the program has them.
  const inserts = ask(session, 'POST', '/inserts-stream', '{"target":"java_in"}\n', { open: true })
  assert.strictEqual((await inserts.head)[':status'], 200)
  for (let seq = 0; seq < 3; seq++) {
    inserts.stream.write(`{"K":"a","V":${seq}}\n`)
    await until(async () => inserts.text.split('\n').length, count => count === seq + 2)
    assert.deepStrictEqual(JSON.parse(inserts.text.split('\n')[seq]), { status: 'ok', seq })
  }
  // A row in two frames.
  inserts.stream.write('{"K":"b",')
  inserts.stream.write('"V":7}\n')
  await until(async () => inserts.text.split('\n').length, count => count === 5)
  inserts.stream.end()
  await inserts.end
  // insertInto(): one row and the end; a row that is refused ends the answer with the reason.
  const wrong = ask(session, 'POST', '/inserts-stream', '{"target":"java_in"}\n{"V":1,"NO":2}\n')
  await wrong.end
  const said = JSON.parse(wrong.text)
  assert.deepStrictEqual([said.status, said.seq, typeof said.error_code, typeof said.message], ['error', 0, 'number', 'string'])
  const nowhere = await whole('POST', '/inserts-stream', undefined)
  assert.strictEqual(nowhere.status, 400)
  const missing = ask(session, 'POST', '/inserts-stream', '{"target":"java_nothing"}\n')
  assert.strictEqual((await missing.head)[':status'], 400)
  await missing.end
  assert.strictEqual(typeof JSON.parse(missing.text).error_code, 'number')

  // streamQuery(): rows in frames of their own while it runs; close-query ends it.
  const push = ask(session, 'POST', '/query-stream',
    JSON.stringify({ sql: 'SELECT k, v FROM java_in EMIT CHANGES;', properties: earliest, sessionVariables: {} }))
  await until(async () => push.frames.length, count => count >= 5)
  const { queryId, columnNames } = JSON.parse(push.frames[0])
  assert.deepStrictEqual(columnNames, ['K', 'V'])
  assert.deepStrictEqual(push.frames.slice(1, 5).map(frame => JSON.parse(frame)), [['a', 0], ['a', 1], ['a', 2], ['b', 7]])
  assert.strictEqual((await whole('POST', '/close-query', { queryId })).status, 200)
  await push.end
  assert.strictEqual((await whole('POST', '/close-query', { queryId })).status, 400)
  // A client that goes ends its query.
  const gone = ask(session, 'POST', '/query-stream', JSON.stringify({ sql: 'SELECT k FROM java_in EMIT CHANGES;', properties: {} }))
  await until(async () => gone.frames.length, count => count >= 1)
  gone.head.catch(() => {})
  gone.end.catch(() => {})
  gone.stream.close(http2.constants.NGHTTP2_CANCEL)
  await until(() => statement('LIST QUERIES;'), entity => !entity.queries.some(one => one.queryType === 'PUSH'))

  const pull = await until(
    () => whole('POST', '/query-stream', { sql: "SELECT k, total FROM java_sum WHERE k = 'b';", properties: {} }),
    answer => answer.text.trim().split('\n').length === 2)
  assert.deepStrictEqual(JSON.parse(pull.text.split('\n')[1]), ['b', 7])
  const refused = await whole('POST', '/query-stream', { sql: 'SELECT nothing FROM java_in;', properties: {} })
  assert.deepStrictEqual([refused.status, refused.json().error_code, Array.isArray(refused.json().stackTrace)], [400, 40001, true])
  for (const sql of [`TERMINATE ${table.commandStatus.queryId};`, 'DROP TABLE java_sum DELETE TOPIC;', 'DROP STREAM java_in DELETE TOPIC;']) {
    assert.strictEqual((await statement(sql)).commandStatus.status, 'SUCCESS')
  }
  session.close()
}

// A request of HTTP/1.1.
function post(url, path, body, type) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, accept: type }
    const request = http.request(url + path, { method: 'POST', headers }, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', more => { text += more })
      answer.on('end', () => resolve({ status: answer.statusCode, type: answer.headers['content-type'], json: JSON.parse(text) }))
    })
    request.on('error', reject)
    request.end(JSON.stringify(body))
  })
}

async function kafkaUi(url) {
  const json = 'application/json'
  const rows = 'application/vnd.ksql.v1+json'
  const statement = ksql => post(url, '/ksql', { ksql, streamsProperties: earliest }, json)
  for (const sql of ["CREATE STREAM ui_in (k VARCHAR KEY, v INT) WITH (kafka_topic='ui_in', value_format='json', partitions=1);",
    'CREATE TABLE ui_sum AS SELECT k, SUM(v) AS total FROM ui_in GROUP BY k;', "INSERT INTO ui_in (k, v) VALUES ('a', 1);"]) {
    const answer = await statement(sql)
    assert.strictEqual(answer.status, 200, JSON.stringify(answer.json))
  }
  for (const [sql, member, name] of [['LIST STREAMS;', 'streams', 'UI_IN'], ['LIST TABLES;', 'tables', 'UI_SUM']]) {
    const answer = await statement(sql)
    assert.strictEqual(answer.type, json)
    const [entity] = answer.json
    const listed = entity[member].find(one => one.name === name)
    assert.deepStrictEqual(Object.keys(listed).sort(), ['isWindowed', 'keyFormat', 'name', 'topic', 'type', 'valueFormat'])
  }
  const pulled = await until(() => post(url, '/query', { ksql: "SELECT * FROM ui_sum WHERE k = 'a';", streamsProperties: {} }, rows),
    answer => answer.json.length === 2)
  assert.ok(pulled.type.startsWith(rows))
  assert.strictEqual(pulled.json[0].header.schema, '`K` STRING KEY, `TOTAL` INTEGER')
  assert.deepStrictEqual(pulled.json[1].row.columns, ['a', 1])
  const pushed = await post(url, '/query', { ksql: 'SELECT * FROM ui_in EMIT CHANGES LIMIT 1;', streamsProperties: earliest }, rows)
  assert.deepStrictEqual(pushed.json.slice(1), [{ row: { columns: ['a', 1] } }, { finalMessage: 'Limit Reached' }])
  const wrong = await post(url, '/query', { ksql: 'SELECT nothing FROM ui_in;', streamsProperties: {} }, rows)
  assert.deepStrictEqual([wrong.status, wrong.json['@type']], [400, 'statement_error'])
  for (const sql of ['TERMINATE ALL;', 'DROP TABLE ui_sum;', 'DROP STREAM ui_in;']) {
    assert.strictEqual((await statement(sql)).status, 200, sql)
  }
}

const steps = { client, java, 'kafka-ui': kafkaUi }
const watch = setTimeout(() => { console.error('the server has not answered in time'); process.exit(1) }, 60000)
steps[process.argv[2]](process.argv[3]).then(() => {
  clearTimeout(watch)
  console.log('every call was answered')
  process.exit(0)
}, error => {
  console.error(error)
  process.exit(1)
})
