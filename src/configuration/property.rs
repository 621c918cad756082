//! A property: its name, what values it takes, where it may be set, what it means.

/// What values a property takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Number,
    /// Anything.
    Text,
    /// One of these, in any case.
    OneOf(&'static [&'static str]),
}

impl Kind {
    /// Whether `value` is one of these values.
    ///
    /// # Errors
    /// What is expected, in ksqlDB's words.
    pub fn check(self, value: &str) -> Result<(), String> {
        let is_one_of = |known: &[&str]| known.iter().any(|known| value.trim().eq_ignore_ascii_case(known));
        match self {
            Self::Text => Ok(()),
            Self::Boolean if is_one_of(&["true", "false"]) => Ok(()),
            Self::Boolean => Err("Expected value to be either true or false".to_owned()),
            Self::Number if value.trim().parse::<i64>().is_ok() => Ok(()),
            Self::Number => Err("Not a number".to_owned()),
            Self::OneOf(known) if is_one_of(known) => Ok(()),
            Self::OneOf(known) => Err(format!("String must be one of: {}", known.join(", "))),
        }
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things that the meaning names.
    Count,
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes, millions of them.
    Megabytes,
}

impl Unit {
    /// Its short name; empty for what needs none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::Megabytes => "MB",
        }
    }
}

/// Where a property may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Where the server is started, and by SET for the statements of a session.
    Session,
    /// Where the server is started. SET refuses it.
    Server,
    /// Where the server is started. SET takes it, as ksqlDB does, and it changes nothing.
    ServerTakenBySet,
}

impl Scope {
    /// As SHOW PROPERTIES tells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "SESSION",
            Self::Server | Self::ServerTakenBySet => "SERVER",
        }
    }
}

/// A property.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// Its value when nothing is set; `None`: there is none, or the meaning tells it.
    pub default: Option<&'static str>,
    /// What values it takes.
    pub kind: Kind,
    /// What its number counts.
    pub unit: Unit,
    /// Where it may be set.
    pub scope: Scope,
    /// What it does, in a sentence without a full stop.
    pub meaning: &'static str,
}

impl Property {
    /// The property when SET may change it.
    pub(super) const fn session(self) -> Self {
        Self { scope: Scope::Session, ..self }
    }

    /// The property when SET refuses it.
    pub(super) const fn fixed(self) -> Self {
        Self { scope: Scope::Server, ..self }
    }

    /// Whether its value is shown to nobody.
    pub fn is_secret(&self) -> bool {
        super::is_secret(self.name)
    }
}

pub(super) const fn property(
    name: &'static str,
    default: Option<&'static str>,
    kind: Kind,
    meaning: &'static str,
) -> Property {
    Property { name, default, kind, unit: Unit::Count, scope: Scope::ServerTakenBySet, meaning }
}

pub(super) const fn boolean(name: &'static str, default: &'static str, meaning: &'static str) -> Property {
    property(name, Some(default), Kind::Boolean, meaning)
}

pub(super) const fn number(name: &'static str, default: &'static str, unit: Unit, meaning: &'static str) -> Property {
    Property { unit, ..property(name, Some(default), Kind::Number, meaning) }
}

pub(super) const fn text(name: &'static str, default: &'static str, meaning: &'static str) -> Property {
    property(name, Some(default), Kind::Text, meaning)
}

pub(super) const fn unset(name: &'static str, meaning: &'static str) -> Property {
    property(name, None, Kind::Text, meaning)
}

pub(super) const fn choice(
    name: &'static str,
    default: &'static str,
    choices: &'static [&'static str],
    meaning: &'static str,
) -> Property {
    property(name, Some(default), Kind::OneOf(choices), meaning)
}

/// ksqlDB's word for no bound.
pub(super) const INT_MAX: &str = "2147483647";
/// The same, of a larger number.
pub(super) const LONG_MAX: &str = "9223372036854775807";
