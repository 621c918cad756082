//! The options that say which server a shell asks, and who asks.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use super::{DataDir, Failure};
use crate::shell::{Access, Certificates, Credentials, RemoteBackend, read_password};

/// Environment variables with what should not stand on a command line, which others can read.
pub(super) const PASSWORD_VARIABLE: &str = "LEVADA_PASSWORD";
pub(super) const TOKEN_VARIABLE: &str = "LEVADA_TOKEN";
/// What stands before the properties of a session in the files of servers.
const STREAMS: &str = "ksql.streams.";
/// Properties of the connection, which are not sent.
const SSL: &str = "ssl.";

/// `--server` and who asks it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Of a server")]
pub struct ServerOptions {
    /// Ask this server, ours or ksqlDB's, instead of opening the data directory
    #[arg(long = "server", value_name = "URL", conflicts_with = "path")]
    url: Option<String>,

    /// Who asks; the password is asked for unless --password or LEVADA_PASSWORD has it
    #[arg(short, long, value_name = "NAME", requires = "url")]
    user: Option<String>,

    /// Password of --user
    #[arg(short, long, value_name = "PASSWORD", requires = "user")]
    password: Option<String>,

    /// Token of who asks; LEVADA_TOKEN may have it instead
    #[arg(short, long, value_name = "TOKEN", requires = "url", conflicts_with = "user")]
    token: Option<String>,

    /// File of certificates (PEM) that the server's is signed by
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,

    /// File with our certificate (PEM), for servers that ask for one
    #[arg(long, value_name = "FILE", requires = "url", requires = "key")]
    cert: Option<PathBuf>,

    /// File with the key of our certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
}

impl ServerOptions {
    /// Whether a server is to be asked.
    pub(super) fn is_given(&self) -> bool {
        self.url.is_some()
    }

    /// The server, if one is to be asked. Nothing is sent yet.
    pub(super) fn backend(&self, data: &DataDir, interactive: bool) -> Result<Option<RemoteBackend>, Failure> {
        let Some(url) = &self.url else { return Ok(None) };
        let certificates = self.certificates(data)?;
        let access = Access { credentials: self.credentials()?, certificates, ..Access::default() };
        Ok(Some(RemoteBackend::new(url, access, interactive)?))
    }

    /// Properties of files and of the command line that are sent with every statement.
    pub(super) fn session_properties(&self, data: &DataDir) -> BTreeMap<String, String> {
        let given = data.given_properties().unwrap_or_default().into_iter();
        let of_session = given.filter(|(name, _)| !name.starts_with(SSL));
        of_session.map(|(name, value)| (name.strip_prefix(STREAMS).unwrap_or(&name).to_owned(), value)).collect()
    }

    fn credentials(&self) -> Result<Option<Credentials>, Failure> {
        let of_environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let Some(user) = &self.user else {
            return Ok(self.token.clone().or_else(|| of_environment(TOKEN_VARIABLE)).map(Credentials::Bearer));
        };
        let password = match self.password.clone().or_else(|| of_environment(PASSWORD_VARIABLE)) {
            Some(password) => password,
            None if io::stdin().is_terminal() => read_password(&format!("Password of {user}: "))?,
            None => {
                let text =
                    format!("nobody can be asked for the password of {user}: --password or {PASSWORD_VARIABLE} has it");
                return Err(Failure::Usage(text));
            }
        };
        Ok(Some(Credentials::Basic(user.clone(), password)))
    }

    /// The files of the options, or those that properties name as ksqlDB's do.
    fn certificates(&self, data: &DataDir) -> Result<Certificates, Failure> {
        let properties = data.given_properties()?;
        let named = |option: &Option<PathBuf>, name: &str| {
            option.clone().or_else(|| properties.get(name).map(PathBuf::from)).map(|path| read(&path)).transpose()
        };
        let authorities = named(&self.ca, "ssl.truststore.location")?;
        let own = named(&self.cert, "ssl.keystore.location")?;
        let key = named(&self.key, "ssl.key.location")?.or_else(|| own.clone());
        Ok(Certificates { authorities, own: own.zip(key) })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}
