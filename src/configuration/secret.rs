//! What is shown of properties that hold passwords: nothing.

/// What is shown of the property `name`.
pub fn shown_value(name: &str, value: &str) -> String {
    if is_secret(name) || value_has_user(value) { "[hidden]".to_owned() } else { value.to_owned() }
}

/// Whether a value is an address with a password.
fn value_has_user(value: &str) -> bool {
    value.split(',').any(|one| one.split_once("://").is_some_and(|(_, rest)| rest.contains('@')))
}

/// Whether the value of the property `name` is shown to nobody.
pub fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 7] =
        ["password", "secret", "sasl.jaas.config", "token", "ssl.key.pem", "ssl.keystore.key", "user.info"];
    /// Names with such a word whose values are none.
    const OPEN: [&str; 4] = [".url", ".source", ".file", ".reload"];
    let name = name.to_ascii_lowercase();
    let is_open = OPEN.iter().any(|end| name.ends_with(end)) || name.contains("continuation.token");
    !is_open && (WORDS.iter().any(|word| name.contains(word)) || name.contains("credential") || is_key(&name))
}

/// Whether it is the text of a private key, not the place of one.
fn is_key(name: &str) -> bool {
    name.ends_with("ssl.key") || name.ends_with(".private.key.pem")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_shown_to_nobody() {
        for name in [
            "sasl.password",
            "ksql.streams.sasl.jaas.config",
            "ssl.key.password",
            "ssl.keystore.key",
            "sasl.oauthbearer.client.secret",
            "ksql.schema.registry.basic.auth.user.info",
            "ksql.schema.registry.bearer.auth.token",
        ] {
            assert_eq!(shown_value(name, "x"), "[hidden]", "{name}");
        }
        assert_eq!(shown_value("ksql.schema.registry.url", "http://u:p@host"), "[hidden]");
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for name in ["ssl.key.location", "ssl.keystore.location", "ksql.query.push.v2.continuation.tokens.enabled"] {
            assert_eq!(shown_value(name, "x"), "x", "{name}");
        }
        assert_eq!(shown_value("sasl.oauthbearer.token.endpoint.url", "https://id.example"), "https://id.example");
        assert_eq!(shown_value("ksql.connect.basic.auth.credentials.source", "NONE"), "NONE");
    }
}
