//! What roles may do on a server (`levada.authorization.*`).

use std::collections::BTreeSet;

use super::{Principal, list};

/// What something that is asked for does, as far as rights go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Rows and facts are read.
    Read,
    /// Records, or schemas, are written.
    Write,
    /// What there is is made, changed, ended.
    Define,
}

impl Right {
    /// The property that lists the roles which have it.
    pub fn property(self) -> &'static str {
        match self {
            Self::Read => "levada.authorization.read",
            Self::Write => "levada.authorization.write",
            Self::Define => "levada.authorization.define",
        }
    }
}

/// A set of roles, as properties list them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Roles {
    any: bool,
    names: BTreeSet<String>,
}

impl Roles {
    /// Reads names with commas between them, `*` being any, and so nothing at all.
    pub(super) fn parse(text: Option<&str>) -> Self {
        let names: BTreeSet<String> = list(text.unwrap_or("*")).map(ToOwned::to_owned).collect();
        Self { any: names.contains("*"), names }
    }

    pub(super) fn include(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Anybody => true,
            Principal::User(_, roles) => self.any || roles.iter().any(|role| self.names.contains(role)),
        }
    }
}

/// The roles that have each right.
#[derive(Debug)]
pub struct Rights([(Right, Roles); 3]);

impl Rights {
    /// What `property` says, by name.
    pub fn new(property: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| property(name).filter(|value| !value.trim().is_empty());
        Self(
            [Right::Read, Right::Write, Right::Define]
                .map(|right| (right, Roles::parse(get(right.property()).as_deref()))),
        )
    }

    /// Whether `principal` has `right`.
    pub fn allow(&self, principal: &Principal, right: Right) -> bool {
        self.0.iter().any(|(known, roles)| *known == right && roles.include(principal))
    }
}
