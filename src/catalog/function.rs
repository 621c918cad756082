//! Functions that statements have made. What they take and give is in the registry, as of all functions.

/// A function that CREATE FUNCTION has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Its name in capitals.
    pub name: String,
    /// What computes it.
    pub definition: FunctionDefinition,
    /// Functions that it calls, by their names in capitals; of those that are not built in.
    pub calls: Vec<String>,
    /// The statement that made it.
    pub sql: String,
}

/// What computes a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionDefinition {
    /// An expression.
    Inline {
        /// As text.
        expression: String,
    },
    /// A library.
    Library {
        /// Its file, as the statement says it.
        path: String,
        /// Why it cannot be used: the function is known by what it was when it was created.
        fault: Option<String>,
    },
}

impl FunctionInfo {
    /// Why the library cannot be used that computes it.
    pub fn fault(&self) -> Option<&str> {
        match &self.definition {
            FunctionDefinition::Library { fault, .. } => fault.as_deref(),
            FunctionDefinition::Inline { .. } => None,
        }
    }
}
