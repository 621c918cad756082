//! Settings as clients in Java have them, to those of librdkafka. A ksqlDB server's file has them, and works here as it is.
//!
//! | Java | librdkafka |
//! |---|---|
//! | `sasl.jaas.config` of PLAIN and SCRAM | `sasl.username`, `sasl.password` |
//! | … of OAUTHBEARER | `sasl.oauthbearer.client.id`, `.client.secret`, `.scope`, with the method `oidc` |
//! | … of Kerberos | `sasl.kerberos.keytab`, `sasl.kerberos.principal` |
//! | `ssl.truststore.location` (PEM), `ssl.truststore.certificates` | `ssl.ca.location`, `ssl.ca.pem` |
//! | `ssl.keystore.location` (PEM) | `ssl.certificate.location`, `ssl.key.location` |
//! | `ssl.keystore.certificate.chain`, `ssl.keystore.key` | `ssl.certificate.pem`, `ssl.key.pem` |
//! | `ssl.endpoint.identification.algorithm` empty | `none` |
//! | `fetch.max.wait.ms`, `max.request.size`, `buffer.memory`, `send.buffer.bytes`, `receive.buffer.bytes` | their names there |
//! | what the server's listeners have, and what only Java has | nothing |

use std::path::Path;

/// A setting of librdkafka.
pub(super) type Setting = (&'static str, String);

/// What becomes of a setting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Translated {
    /// librdkafka has it too, as far as is known here.
    AsItIs,
    /// It is said so there; nothing: it means nothing there.
    Instead(Vec<Setting>),
    /// It cannot be said there, for this reason.
    Refused(String),
}

/// How a key store or trust store is said to be: `ssl.keystore.type`, `ssl.truststore.type`.
#[derive(Clone, Copy)]
pub(super) struct Stores<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) trust: Option<&'a str>,
}

/// The setting `name` with `value`, without the prefix of a kind of client.
pub(super) fn translated(name: &str, value: &str, stores: Stores<'_>) -> Translated {
    let named = |name: &'static str| Translated::Instead(vec![(name, value.to_owned())]);
    match name {
        "sasl.jaas.config" => jaas(value),
        "ssl.truststore.location" if is_pem(value, stores.trust) => named("ssl.ca.location"),
        "ssl.truststore.location" => refused_store(name, "ssl.ca.location"),
        "ssl.truststore.certificates" => named("ssl.ca.pem"),
        "ssl.keystore.location" if is_pem(value, stores.key) => Translated::Instead(vec![
            ("ssl.certificate.location", value.to_owned()),
            ("ssl.key.location", value.to_owned()),
        ]),
        "ssl.keystore.location" if stores.key.is_some_and(|kind| kind.eq_ignore_ascii_case("PKCS12")) => {
            Translated::AsItIs
        }
        "ssl.keystore.location" => refused_store(name, "ssl.certificate.location and ssl.key.location"),
        "ssl.keystore.certificate.chain" => named("ssl.certificate.pem"),
        "ssl.keystore.key" => named("ssl.key.pem"),
        "ssl.endpoint.identification.algorithm" if value.trim().is_empty() => {
            Translated::Instead(vec![("ssl.endpoint.identification.algorithm", "none".to_owned())])
        }
        "fetch.max.wait.ms" => named("fetch.wait.max.ms"),
        "max.request.size" => named("message.max.bytes"),
        "buffer.memory" => match value.trim().parse::<u64>() {
            Ok(bytes) => Translated::Instead(vec![("queue.buffering.max.kbytes", (bytes / 1024).max(1).to_string())]),
            Err(_) => Translated::Refused("it is no number".to_owned()),
        },
        "send.buffer.bytes" => buffer("socket.send.buffer.bytes", value),
        "receive.buffer.bytes" => buffer("socket.receive.buffer.bytes", value),
        _ if is_of_listeners(name) || OURS.contains(&name) => Translated::Instead(Vec::new()),
        _ => Translated::AsItIs,
    }
}

/// What the engine itself decides: who says otherwise would read twice, or not at all.
const OURS: [&str; 7] = [
    "auto.offset.reset",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "group.id",
    "isolation.level",
    "transactional.id",
];

/// What the listeners of a server have beside clients of Kafka.
fn is_of_listeners(name: &str) -> bool {
    matches!(
        name,
        "ssl.client.authentication"
            | "ssl.client.auth"
            | "ssl.enabled.protocols"
            | "ssl.keystore.reload"
            | "ssl.keystore.watch.location"
            | "ssl.keystore.type"
            | "ssl.truststore.type"
            | "ssl.truststore.password"
    )
}

/// In Java -1 is what the system has, here 0.
fn buffer(name: &'static str, value: &str) -> Translated {
    let value = value.trim();
    Translated::Instead(vec![(name, if value == "-1" { "0" } else { value }.to_owned())])
}

fn is_pem(path: &str, kind: Option<&str>) -> bool {
    match kind {
        Some(kind) => kind.trim().eq_ignore_ascii_case("PEM"),
        None => {
            let extension = Path::new(path.trim()).extension().and_then(|extension| extension.to_str());
            extension
                .is_some_and(|extension| ["pem", "crt", "cer"].iter().any(|pem| extension.eq_ignore_ascii_case(pem)))
        }
    }
}

fn refused_store(name: &str, instead: &str) -> Translated {
    let kind = name.rsplit_once('.').map_or(name, |(before, _)| before);
    Translated::Refused(format!(
        "key stores of Java are not read: export it as PEM, and set {kind}.type=PEM, or {instead}"
    ))
}

/// `some.Module required name="value" …;`
fn jaas(text: &str) -> Translated {
    let module = text.split_whitespace().next().unwrap_or_default();
    let options = options(text);
    let option = |name: &str| options.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let settings = |names: &[(&'static str, &str)]| -> Vec<Setting> {
        names.iter().filter_map(|&(name, java)| Some((name, option(java)?))).collect()
    };
    if module.ends_with(".PlainLoginModule") || module.ends_with(".ScramLoginModule") {
        let found = settings(&[("sasl.username", "username"), ("sasl.password", "password")]);
        if found.len() == 2 {
            return Translated::Instead(found);
        }
        return Translated::Refused("it has no username=\"…\" and password=\"…\"".to_owned());
    }
    if module.ends_with(".OAuthBearerLoginModule") {
        let names = [
            ("sasl.oauthbearer.client.id", "clientId"),
            ("sasl.oauthbearer.client.secret", "clientSecret"),
            ("sasl.oauthbearer.scope", "scope"),
        ];
        let mut found = settings(&names);
        if !found.is_empty() {
            found.push(("sasl.oauthbearer.method", "oidc".to_owned()));
        }
        return Translated::Instead(found);
    }
    if module.ends_with(".Krb5LoginModule") {
        return Translated::Instead(settings(&[
            ("sasl.kerberos.keytab", "keyTab"),
            ("sasl.kerberos.principal", "principal"),
        ]));
    }
    Translated::Refused(format!(
        "the module {module} is not known: sasl.username and sasl.password say who Levada is, or those of sasl.oauthbearer and sasl.kerberos"
    ))
}

/// The `name="value"` of a module.
fn options(text: &str) -> Vec<(String, String)> {
    let mut options = Vec::new();
    let mut rest = text;
    while let Some(equals) = rest.find('=') {
        let name = rest[..equals].trim().rsplit(char::is_whitespace).next().unwrap_or_default().to_owned();
        let after = rest[equals + 1..].trim_start();
        let (value, end) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => quoted(&after[1..], quote),
            _ => {
                let end = after.find(|c: char| c.is_whitespace() || c == ';').unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        options.push((name, value));
        rest = end;
    }
    options
}

/// The text up to `quote`, where `\` makes the next character plain, and what is behind it.
fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c if c == quote => return (value, &text[index + c.len_utf8()..]),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TYPES: Stores<'_> = Stores { key: None, trust: None };

    fn check(name: &str, value: &str, expected: &[(&str, &str)]) {
        let found = match translated(name, value, NO_TYPES) {
            Translated::Instead(settings) => settings,
            other => panic!("{name}: {other:?}"),
        };
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn who_the_client_is_comes_from_the_login_module() {
        check(
            "sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"KEY\" password=\"se=cr;et \\\"x\\\"\";",
            &[("sasl.username", "KEY"), ("sasl.password", "se=cr;et \"x\"")],
        );
        check(
            "sasl.jaas.config",
            "org.apache.kafka.common.security.scram.ScramLoginModule required\n  username='u'\n  password=p;",
            &[("sasl.username", "u"), ("sasl.password", "p")],
        );
        check(
            "sasl.jaas.config",
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId='i' clientSecret='s';",
            &[
                ("sasl.oauthbearer.client.id", "i"),
                ("sasl.oauthbearer.client.secret", "s"),
                ("sasl.oauthbearer.method", "oidc"),
            ],
        );
        for wrong in [
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\";",
            "my.Module required;",
            "",
        ] {
            assert!(matches!(translated("sasl.jaas.config", wrong, NO_TYPES), Translated::Refused(_)), "{wrong}");
        }
    }

    #[test]
    fn certificates_are_pem() {
        check("ssl.truststore.location", "/etc/ca.pem", &[("ssl.ca.location", "/etc/ca.pem")]);
        check("ssl.endpoint.identification.algorithm", "", &[("ssl.endpoint.identification.algorithm", "none")]);
        check("ssl.keystore.key", "KEY", &[("ssl.key.pem", "KEY")]);
        check("ssl.client.authentication", "REQUIRED", &[]);
        let pem = Stores { key: Some("PEM"), trust: Some("pem") };
        assert!(
            matches!(translated("ssl.keystore.location", "/etc/key", pem), Translated::Instead(both) if both.len() == 2)
        );
        let refused = translated("ssl.truststore.location", "/etc/trust.jks", NO_TYPES);
        let text =
            "key stores of Java are not read: export it as PEM, and set ssl.truststore.type=PEM, or ssl.ca.location";
        assert_eq!(refused, Translated::Refused(text.to_owned()));
    }

    #[test]
    fn other_settings_have_other_names_or_none() {
        check("fetch.max.wait.ms", "5", &[("fetch.wait.max.ms", "5")]);
        check("buffer.memory", "33554432", &[("queue.buffering.max.kbytes", "32768")]);
        check("send.buffer.bytes", "-1", &[("socket.send.buffer.bytes", "0")]);
        check("auto.offset.reset", "earliest", &[]);
        assert_eq!(translated("linger.ms", "5", NO_TYPES), Translated::AsItIs);
    }
}
