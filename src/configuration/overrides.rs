//! Which properties clients may set: those that are fixed nobody, and of the others those that the server's lists leave.

use std::collections::BTreeMap;

use super::known::{PropertyError, canonical_name, is_fixed};

const MODE: &str = "ksql.properties.overrides.validation.mode";
const DENIED: &str = "ksql.properties.overrides.denylist";
const ALLOWED: &str = "ksql.properties.overrides.allowlist";

/// Whether a client of a server with the properties `server` may set the property `name`, be it known or not.
///
/// # Errors
/// Only the server may set it, or its lists say that clients may not.
pub fn check_override(server: &BTreeMap<String, String>, name: &str) -> Result<(), PropertyError> {
    if is_fixed(name) {
        return Err(PropertyError::Fixed { name: name.to_owned() });
    }
    let is_listed = |list: &str| {
        let names = server.get(list).map_or("", String::as_str).split(',').map(str::trim);
        names.filter(|listed| !listed.is_empty()).any(|listed| canonical_name(listed) == canonical_name(name))
    };
    let names_allowed = server.get(MODE).is_some_and(|mode| mode.trim().eq_ignore_ascii_case("allowlist"));
    let (list, is_denied) = if names_allowed { (ALLOWED, !is_listed(ALLOWED)) } else { (DENIED, is_listed(DENIED)) };
    if is_denied { Err(PropertyError::Denied { name: name.to_owned(), list }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_set(server: &[(&str, &str)], name: &str) -> bool {
        let server = server.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        check_override(&server, name).is_ok()
    }

    #[test]
    fn what_is_denied_or_not_allowed_is_refused() {
        let denied = [(DENIED, "ksql.streams.num.standby.replicas, processing.guarantee")];
        assert!(may_set(&denied, "auto.offset.reset") && may_set(&denied, "ksql.streams.nobody.knows"));
        assert!(!may_set(&denied, "num.standby.replicas") && !may_set(&denied, "ksql.streams.processing.guarantee"));
        let allowed = [(MODE, "allowlist"), (ALLOWED, "auto.offset.reset"), (DENIED, "auto.offset.reset")];
        assert!(may_set(&allowed, "ksql.streams.auto.offset.reset") && !may_set(&allowed, "commit.interval.ms"));
        assert!(!may_set(&[(MODE, "allowlist")], "auto.offset.reset"));
        for fixed in ["ksql.service.id", "ssl.keystore.password", "listeners", "ksql.streams.bootstrap.servers"] {
            assert!(!may_set(&[(MODE, "allowlist"), (ALLOWED, fixed)], fixed), "{fixed}");
        }
    }
}
