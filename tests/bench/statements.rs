//! What the pipelines run: the statements that declare their inputs and start the query that writes to topic `RESULT`.

/// Results after every row instead of at commit.
pub const CACHE_OFF: &str = "SET 'cache.max.bytes.buffering' = '0';\n";

/// Columns of the values of [`crate::generator`].
macro_rules! fields {
    () => {
        "id BIGINT, region STRING, kind STRING, quantity INT, price BIGINT, rate DOUBLE, device STRING, session STRING, \
         created BIGINT, note STRING"
    };
}

/// `$kind` (STREAM or TABLE) `$name` of topic `$topic`.
macro_rules! source {
    ($kind:literal, $name:literal, $key:literal, $topic:literal) => {
        concat!(
            "SET 'auto.offset.reset' = 'earliest';\nCREATE ",
            $kind,
            " ",
            $name,
            " (",
            $key,
            ", ",
            fields!(),
            ") WITH (KAFKA_TOPIC = '",
            $topic,
            "', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');\n"
        )
    };
}

macro_rules! over_events {
    ($query:literal) => {
        concat!(source!("STREAM", "events", "account STRING KEY", "input"), $query)
    };
}

pub const FILTER_PROJECT: &str = over_events!(
    "CREATE STREAM result AS
  SELECT account, id, region, kind, price * quantity AS total, rate, session, created
  FROM events WHERE quantity >= 25 EMIT CHANGES;"
);

pub const TUMBLING: &str = over_events!(
    "CREATE TABLE result AS
  SELECT account, COUNT(*) AS n, SUM(price) AS total
  FROM events WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY account EMIT CHANGES;"
);

pub const HOPPING: &str = over_events!(
    "CREATE TABLE result AS
  SELECT account, COUNT(*) AS n, SUM(price) AS total
  FROM events WINDOW HOPPING (SIZE 60 SECONDS, ADVANCE BY 5 SECONDS) GROUP BY account EMIT CHANGES;"
);

pub const SESSION: &str = over_events!(
    "CREATE TABLE result AS
  SELECT account, COUNT(*) AS n, SUM(price) AS total
  FROM events WINDOW SESSION (120 SECONDS) GROUP BY account EMIT CHANGES;"
);

pub const STREAM_TABLE: &str = concat!(
    source!("STREAM", "purchases", "shop STRING KEY", "input"),
    "CREATE TABLE shops (shop STRING PRIMARY KEY, name STRING, city STRING, tier INT)
  WITH (KAFKA_TOPIC = 'table', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');
CREATE STREAM result AS
  SELECT p.shop AS shop, p.id AS id, p.kind AS kind, p.price AS price, p.created AS created,
    s.name AS name, s.city AS city, s.tier AS tier
  FROM purchases p LEFT JOIN shops s ON p.shop = s.shop EMIT CHANGES;"
);

macro_rules! orders_and_payments {
    ($within:literal) => {
        concat!(
            source!("STREAM", "orders", "number STRING KEY", "input"),
            source!("STREAM", "payments", "number STRING KEY", "other"),
            "CREATE STREAM result AS
  SELECT o.number AS number, o.id AS id, o.kind AS kind, o.price AS price, p.created AS paid, p.price AS amount,
    p.region AS region
  FROM orders o JOIN payments p ",
            $within,
            " ON o.number = p.number EMIT CHANGES;"
        )
    };
}

pub const STREAM_STREAM: &str = orders_and_payments!("WITHIN 10 SECONDS GRACE PERIOD 10 SECONDS");
/// With the default grace of a day.
pub const STREAM_STREAM_DAY: &str = orders_and_payments!("WITHIN 10 SECONDS");

pub const TABLE_TABLE: &str = concat!(
    source!("TABLE", "shops", "shop STRING PRIMARY KEY", "input"),
    source!("TABLE", "offers", "shop STRING PRIMARY KEY", "other"),
    "CREATE TABLE result AS
  SELECT s.shop AS shop, s.id AS id, s.kind AS kind, s.price AS price, o.created AS created, o.price AS offer,
    o.region AS region
  FROM shops s JOIN offers o ON s.shop = o.shop EMIT CHANGES;"
);

pub const FOREIGN_KEY: &str = concat!(
    source!("TABLE", "orders", "number STRING PRIMARY KEY", "input"),
    source!("TABLE", "shops", "shop STRING PRIMARY KEY", "table"),
    "CREATE TABLE result AS
  SELECT o.number AS number, o.id AS id, o.kind AS kind, o.price AS price, s.shop AS shop, s.region AS region,
    s.rate AS rate
  FROM orders o JOIN shops s ON o.device = s.shop EMIT CHANGES;"
);
