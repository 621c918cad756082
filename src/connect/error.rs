//! Why Kafka Connect has not done what it was asked.

/// What went wrong, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody answers, or not in time, or what answers is no Kafka Connect.
    #[error("{reason}")]
    Unreachable {
        /// Each address with what is wrong there.
        reason: String,
    },
    /// Connect has answered that it does not do it.
    #[error("{message}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// What it says.
        message: String,
    },
}

impl ConnectError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some(
                "`ksql.connect.url` says where Kafka Connect is, `ksql.connect.request.timeout.ms` how long it is waited for",
            ),
            Self::Refused { status: 401 | 403, .. } => Some(
                "`ksql.connect.basic.auth.credentials.source` and `ksql.connect.basic.auth.credentials.file` say who Levada is to \
                 Kafka Connect",
            ),
            Self::Refused { .. } => None,
        }
    }

    /// The number that ksqlDB's HTTP interface has for it. Who is not let in by Connect is known here: that is no 401.
    pub fn code(&self) -> u32 {
        match self {
            Self::Refused { status: 401, .. } => 40300,
            Self::Refused { status: status @ 400..500, .. } => u32::from(*status) * 100,
            Self::Refused { .. } | Self::Unreachable { .. } => 50000,
        }
    }
}
