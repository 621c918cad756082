//! Why the registry does not do what it was asked for, with the codes that its clients know.

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such subject.
    #[error("Subject '{0}' not found.")]
    SubjectNotFound(String),
    /// No such version.
    #[error("Version {0} not found.")]
    VersionNotFound(String),
    /// No such schema.
    #[error("Schema {0}not found")]
    SchemaNotFound(String),
    /// The subject was deleted, but can come back.
    #[error("Subject '{0}' was soft deleted. Set permanent=true to delete it permanently")]
    SubjectSoftDeleted(String),
    /// The subject is to be deleted for good, but was not deleted before.
    #[error("Subject '{0}' was not deleted first before it is to be permanently deleted")]
    SubjectNotSoftDeleted(String),
    /// The version was deleted, but can come back.
    #[error("Subject '{0}' Version {1} was soft deleted. Set permanent=true to delete it permanently")]
    VersionSoftDeleted(String, u32),
    /// The version is to be deleted for good, but was not deleted before.
    #[error("Subject '{0}' Version {1} was not deleted first before it is to be permanently deleted")]
    VersionNotSoftDeleted(String, u32),
    /// The subject has no settings of its own.
    #[error("Subject '{0}' does not have subject-level compatibility configured")]
    NoConfig(String),
    /// The subject has no mode of its own.
    #[error("Subject '{0}' does not have subject-level mode configured")]
    NoMode(String),
    /// The text is no schema.
    #[error("Invalid schema: {0}")]
    InvalidSchema(String),
    /// No version is called so.
    #[error("The specified version '{0}' is not a valid version id. Allowed values are [1, 2^31-1] and \"latest\"")]
    InvalidVersion(String),
    /// No level is called so.
    #[error(
        "Invalid compatibility level '{0}'. Valid values are NONE, BACKWARD, BACKWARD_TRANSITIVE, FORWARD, \
         FORWARD_TRANSITIVE, FULL and FULL_TRANSITIVE"
    )]
    InvalidCompatibility(String),
    /// No mode is called so.
    #[error("Invalid mode '{0}'. Valid values are READWRITE, READONLY, READONLY_OVERRIDE and IMPORT")]
    InvalidMode(String),
    /// The mode does not allow it.
    #[error("{0}")]
    NotPermitted(String),
    /// Others refer to the schema.
    #[error("One or more references exist to version {1} of subject '{0}'")]
    ReferenceExists(String, u32),
    /// Nothing can be called so.
    #[error("Invalid subject '{0}': it is empty, or has characters that cannot be seen")]
    InvalidSubject(String),
    /// The schema does not fit those before it.
    #[error("Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: [{}]", .messages.join(", "))]
    Incompatible {
        /// The subject.
        subject: String,
        /// What does not fit.
        messages: Vec<String>,
    },
    /// The store has failed.
    #[error("the schemas cannot be stored: {0}")]
    Storage(String),
}

impl Refusal {
    /// The code that clients know.
    pub fn code(&self) -> u32 {
        match self {
            Self::SubjectNotFound(_) => 40401,
            Self::VersionNotFound(_) => 40402,
            Self::SchemaNotFound(_) => 40403,
            Self::SubjectSoftDeleted(_) => 40404,
            Self::SubjectNotSoftDeleted(_) => 40405,
            Self::VersionSoftDeleted(..) => 40406,
            Self::VersionNotSoftDeleted(..) => 40407,
            Self::NoConfig(_) => 40408,
            Self::NoMode(_) => 40409,
            Self::Incompatible { .. } => 409,
            Self::InvalidSchema(_) => 42201,
            Self::InvalidVersion(_) => 42202,
            Self::InvalidCompatibility(_) => 42203,
            Self::InvalidMode(_) => 42204,
            Self::NotPermitted(_) => 42205,
            Self::ReferenceExists(..) => 42206,
            Self::InvalidSubject(_) => 42208,
            Self::Storage(_) => 50001,
        }
    }

    /// The status of HTTP that goes with it.
    pub fn status(&self) -> u16 {
        let code = self.code();
        (if code > 999 { code / 100 } else { code }) as u16
    }
}
