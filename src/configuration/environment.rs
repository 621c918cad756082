//! Properties in the environment, as the images of ksqlDB and of Confluent have them.
//!
//! | variable | property |
//! |---|---|
//! | `KSQL_KSQL_SERVICE_ID` | `ksql.service.id`: the rest of the name in lower case, `_` as `.`, `__` as `_`, `___` as `-` |
//! | `KSQL_BOOTSTRAP_SERVERS` | `bootstrap.servers` |
//! | `KSQL_OPTS="-Dksql.service.id=a -Dlisteners=…"` | each of these, over the others |
//! | `LEVADA_MEMORY_LIMIT`, `LEVADA_SELF_JOINS_ENABLED` | `memory.limit`, `levada.self.joins.enabled`, over all of these |

use super::known::{is_known, similar};

const KSQL: &str = "KSQL_";
const OPTIONS: &str = "KSQL_OPTS";
const LEVADA: &str = "LEVADA_";

/// What begins so is for the JVM, its logging and the scripts of the images.
const NO_PROPERTIES: [&str; 17] = [
    "KSQL_OPTS",
    "KSQL_HEAP_OPTS",
    "KSQL_JMX_",
    "KSQL_JVM_",
    "KSQL_GC_",
    "KSQL_LOG4J",
    "KSQL_LOGGING_",
    "KSQL_CLASSPATH",
    "KSQL_CONFIG_DIR",
    "KSQL_DEBUG",
    "KSQL_DIR",
    "KSQL_HOME",
    "KSQL_HOST_NAME",
    "KSQL_HOSTNAME",
    "KSQL_LOG_DIR",
    "KSQL_VERSION",
    "KSQL_CUB_",
];

/// A property that a variable sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    /// Which one.
    pub(super) source: String,
    /// The property.
    pub(super) name: String,
    /// Its value.
    pub(super) value: String,
}

/// What the environment says: properties, those that count less first, and what is told of variables that are none.
pub(super) fn read(environment: impl IntoIterator<Item = (String, String)>) -> (Vec<Variable>, Vec<String>) {
    let (mut plain, mut options, mut own, mut warnings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (variable, value) in environment {
        if variable == OPTIONS {
            let set = options_of(&value).into_iter().filter(|(name, _)| !is_of_java(name));
            options.extend(set.map(|(name, value)| Variable { source: variable.clone(), name, value }));
        } else if let Some(rest) = variable.strip_prefix(KSQL) {
            if !is_for_others(&variable) {
                let name = property_name(rest);
                plain.push(Variable { source: variable, name, value });
            }
        } else if let Some(rest) = variable.strip_prefix(LEVADA) {
            match own_property(rest) {
                Ok(name) => own.push(Variable { source: variable, name, value }),
                Err(Some(meant)) => warnings.push(format!(
                    "the environment variable {variable} is no property; did you mean {LEVADA}{}?",
                    variable_name(&meant)
                )),
                Err(None) => {}
            }
        }
    }
    (plain.into_iter().chain(options).chain(own).collect(), warnings)
}

/// `KSQL_SERVICE_ID` to `ksql.service.id`.
fn property_name(variable: &str) -> String {
    let mut name = String::with_capacity(variable.len());
    let mut rest = variable;
    while let Some(at) = rest.find('_') {
        name.push_str(&rest[..at]);
        let after = rest[at..].trim_start_matches('_');
        let mut count = rest.len() - at - after.len();
        while count > 0 {
            let (taken, sign) = match count {
                1 => (1, '.'),
                2 => (2, '_'),
                _ => (3, '-'),
            };
            name.push(sign);
            count -= taken;
        }
        rest = after;
    }
    name.push_str(rest);
    name.to_ascii_lowercase()
}

/// `memory.limit` to `MEMORY_LIMIT`.
fn variable_name(property: &str) -> String {
    property.replace('_', "__").replace('-', "___").replace('.', "_").to_ascii_uppercase()
}

/// The property that `LEVADA_` and `rest` mean: ours may be named without their own `levada.`. Otherwise the one that it nearly is:
/// other things have names like that too.
fn own_property(rest: &str) -> Result<String, Option<String>> {
    let name = property_name(rest);
    let ours = format!("levada.{name}");
    if is_known(&name) {
        Ok(name)
    } else if is_known(&ours) {
        Ok(ours)
    } else {
        Err(similar(&name).filter(|meant| meant.contains('.')))
    }
}

/// Whether a variable with our prefix has nothing to do with properties.
fn is_for_others(variable: &str) -> bool {
    NO_PROPERTIES.iter().any(|begin| variable.starts_with(begin)) || is_service(variable)
}

/// Whether Kubernetes sets it for a service whose name begins with `ksql`: `KSQL_PORT`, `KSQL_SERVER_PORT_8088_TCP_ADDR`.
fn is_service(variable: &str) -> bool {
    let is_port = |rest: &str| {
        rest.is_empty() || rest.strip_prefix('_').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    variable.ends_with("_SERVICE_HOST")
        || variable.contains("_SERVICE_PORT")
        || variable.match_indices("_PORT").any(|(at, port)| is_port(&variable[at + port.len()..]))
}

/// The `-Dname=value` among the options of a JVM. Quotes keep blanks together, as in a shell.
fn options_of(text: &str) -> Vec<(String, String)> {
    let property = |word: String| {
        let (name, value) = word.strip_prefix("-D")?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    words(text).into_iter().filter_map(property).collect()
}

fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Whether the JVM itself, or what runs in it, asks for the property.
fn is_of_java(name: &str) -> bool {
    const PREFIXES: [&str; 11] =
        ["java.", "javax.", "jdk.", "sun.", "com.sun.", "log4j", "logback.", "user.", "file.", "os.", "io.netty."];
    name != "java.security.auth.login.config" && PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        read(variables).0.into_iter().map(|set| (set.name, set.value)).collect()
    }

    fn check(variable: &str, name: &str) {
        assert_eq!(set(&[(variable, "x")]), [(name.to_owned(), "x".to_owned())], "{variable}");
    }

    #[test]
    fn variables_name_properties() {
        check("KSQL_KSQL_SERVICE_ID", "ksql.service.id");
        check("KSQL_BOOTSTRAP_SERVERS", "bootstrap.servers");
        check("KSQL_LISTENERS", "listeners");
        check("KSQL_CACHE_MAX_BYTES_BUFFERING", "cache.max.bytes.buffering");
        check("KSQL_KSQL_LOGGING_PROCESSING_STREAM_AUTO_CREATE", "ksql.logging.processing.stream.auto.create");
        check("KSQL_KSQL_FUNCTIONS_MY__SUM_LIMIT", "ksql.functions.my_sum.limit");
        check("KSQL_KSQL_FUNCTIONS_A___B_LIMIT", "ksql.functions.a-b.limit");
        check("LEVADA_MEMORY_LIMIT", "memory.limit");
        check("LEVADA_KSQL_SERVICE_ID", "ksql.service.id");
        check("LEVADA_SELF_JOINS_ENABLED", "levada.self.joins.enabled");
        check("LEVADA_LEVADA_SELF_JOINS_ENABLED", "levada.self.joins.enabled");
    }

    #[test]
    fn variables_of_others_are_left_alone() {
        for name in [
            "KSQL_HEAP_OPTS",
            "KSQL_JMX_PORT",
            "KSQL_LOG4J_ROOT_LOGLEVEL",
            "KSQL_CONFIG_DIR",
            "KSQL_PORT",
            "KSQL_PORT_8088_TCP_ADDR",
            "KSQL_SERVER_SERVICE_HOST",
            "KSQL_SERVER_SERVICE_PORT_HTTP",
            "LEVADA_LOG",
            "PATH",
            "KSQLDB_URL",
        ] {
            assert_eq!(set(&[(name, "x")]), [], "{name}");
        }
    }

    #[test]
    fn options_of_the_jvm_set_properties() {
        let options =
            "-Xmx2g -Dksql.service.id=shop_ '-Dsasl.jaas.config=a b=\"c\";' -Djava.io.tmpdir=/tmp -Dlog4j.x=y -DisOn";
        let expected = [("ksql.service.id", "shop_"), ("sasl.jaas.config", "a b=\"c\";")];
        assert_eq!(set(&[("KSQL_OPTS", options)]), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        check_option("-Djava.security.auth.login.config=/etc/jaas.conf", "java.security.auth.login.config");
    }

    fn check_option(option: &str, name: &str) {
        assert_eq!(set(&[("KSQL_OPTS", option)]).first().map(|(name, _)| name.as_str()), Some(name));
    }

    #[test]
    fn what_counts_more_comes_later() {
        let variables =
            [("LEVADA_KSQL_SERVICE_ID", "c"), ("KSQL_OPTS", "-Dksql.service.id=b"), ("KSQL_KSQL_SERVICE_ID", "a")];
        assert_eq!(set(&variables).into_iter().map(|(_, value)| value).collect::<String>(), "abc");
    }

    #[test]
    fn a_slip_in_one_of_ours_is_told() {
        let told = |name: &str| read([(name.to_owned(), "1".to_owned())]).1;
        let expected = "the environment variable LEVADA_MEMORY_LIMT is no property; did you mean LEVADA_MEMORY_LIMIT?";
        assert_eq!(told("LEVADA_MEMORY_LIMT"), [expected]);
        assert!(told("LEVADA_ORACLE_SEED").is_empty() && told("LEVADA_TEST_BOOTSTRAP").is_empty());
    }
}
