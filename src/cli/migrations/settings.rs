//! What the properties file of a project says, by the names of `ksql-migrations`.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::project;
use crate::cli::Failure;
use crate::cli::shell_server::{PASSWORD_VARIABLE, TOKEN_VARIABLE};
use crate::configuration::java_properties;
use crate::http::ClientStores;
use crate::shell::{Access, Certificates, Credentials, TokenRequest};
use crate::sql::similar_names;

pub(super) const URL: &str = "ksql.server.url";
const STREAM: &str = "ksql.migrations.stream.name";
const TABLE: &str = "ksql.migrations.table.name";
const STREAM_TOPIC: &str = "ksql.migrations.stream.topic.name";
const TABLE_TOPIC: &str = "ksql.migrations.table.topic.name";
const REPLICAS: &str = "ksql.migrations.topic.replicas";
const FOLDER: &str = "ksql.migrations.dir.override";
const USER: &str = "ksql.auth.basic.username";
const PASSWORD: &str = "ksql.auth.basic.password";
const TOKEN: &str = "bearer.auth.token";
const TOKEN_ENDPOINT: &str = "bearer.auth.issuer.endpoint.url";
const TOKEN_ID: &str = "bearer.auth.client.id";
const TOKEN_SECRET: &str = "bearer.auth.client.secret";
const TOKEN_SCOPE: &str = "bearer.auth.scope";
const VERIFY_HOST: &str = "ssl.verify.host";

/// The stream of events, where nobody names it.
pub(super) const STREAM_DEFAULT: &str = "MIGRATION_EVENTS";
/// The table of versions, where nobody names it.
pub(super) const TABLE_DEFAULT: &str = "MIGRATION_SCHEMA_VERSIONS";

/// All names of properties. Those at the end are of Java's clients, and mean nothing here.
const KNOWN: [&str; 29] = [
    URL,
    STREAM,
    TABLE,
    STREAM_TOPIC,
    TABLE_TOPIC,
    REPLICAS,
    FOLDER,
    USER,
    PASSWORD,
    TOKEN,
    TOKEN_ENDPOINT,
    TOKEN_ID,
    TOKEN_SECRET,
    TOKEN_SCOPE,
    VERIFY_HOST,
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.truststore.type",
    "ssl.keystore.type",
    "ssl.key.alias",
    "ssl.alpn",
    "bearer.auth.scope.claim.name",
    "bearer.auth.sub.claim.name",
    "bearer.auth.cache.expiry.buffer.seconds",
    "bearer.auth.credentials.source",
];

/// A project: its server, and where its files and its metadata are.
pub(super) struct Settings {
    /// The server.
    pub(super) url: String,
    /// Folder of migration files.
    pub(super) folder: PathBuf,
    /// The stream of events, as it is written in SQL.
    pub(super) stream: String,
    /// The table of versions, as it is written in SQL.
    pub(super) table: String,
    /// The stream's topic, if it is named.
    pub(super) stream_topic: Option<String>,
    /// The table's topic, if it is named.
    pub(super) table_topic: Option<String>,
    /// Replicas of both topics.
    pub(super) replicas: u16,
    properties: BTreeMap<String, String>,
}

impl Settings {
    /// Reads the properties file `path`. Names that nobody knows are told.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|error| {
            Failure::new(format!("cannot read the properties file {}: {error}", path.display())).with_hint(
                "`levada migrations new-project DIR URL` makes a project; --config-file names the file of one",
            )
        })?;
        let (settings, remarks) = Self::of_text(path, &java_properties::text_of(bytes))?;
        for remark in remarks {
            // Without a standard error there is nobody to tell.
            let _ = writeln!(io::stderr(), "warning: {remark}");
        }
        Ok(settings)
    }

    /// What `text` says, which stands in the file `path`, and remarks on it.
    fn of_text(path: &Path, text: &str) -> Result<(Self, Vec<String>), Failure> {
        let wrong = |what: String| Failure::new(format!("{}: {what}", path.display()));
        let (mut properties, mut remarks) = (BTreeMap::new(), Vec::new());
        for entry in java_properties::read(text).map_err(|error| wrong(error.to_string()))? {
            if !KNOWN.contains(&entry.name.as_str()) {
                let near = similar_names(&entry.name, KNOWN.into_iter()).into_iter().next();
                let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                remarks.push(format!("unknown property '{}' ({}:{}){hint}", entry.name, path.display(), entry.line));
            }
            let value = entry.value.trim();
            if !value.is_empty() {
                properties.insert(entry.name, value.to_owned());
            }
        }
        let get = |name: &str| properties.get(name).cloned();
        let url = get(URL).ok_or_else(|| {
            wrong(format!("the property {URL} is missing")).with_hint(format!("{URL}=http://localhost:8088"))
        })?;
        let replicas = get(REPLICAS).map_or(Ok(1), |text| text.parse());
        let replicas = replicas.ok().filter(|replicas| *replicas > 0);
        let replicas = replicas.ok_or_else(|| wrong(format!("{REPLICAS} is no number of replicas")))?;
        if get(VERIFY_HOST).is_some_and(|value| value.eq_ignore_ascii_case("false")) {
            return Err(wrong(format!("{VERIFY_HOST}=false: that a certificate is the server's is always checked"))
                .with_hint("ssl.truststore.location names a file with the certificate that is to be trusted"));
        }
        let beside = path.parent().map_or_else(PathBuf::new, Path::to_path_buf).join(project::FOLDER);
        let settings = Self {
            url,
            folder: get(FOLDER).map_or(beside, PathBuf::from),
            stream: get(STREAM).unwrap_or_else(|| STREAM_DEFAULT.to_owned()),
            table: get(TABLE).unwrap_or_else(|| TABLE_DEFAULT.to_owned()),
            stream_topic: get(STREAM_TOPIC),
            table_topic: get(TABLE_TOPIC),
            replicas,
            properties,
        };
        Ok((settings, remarks))
    }

    /// Who asks the server, with `headers`. An identity provider that is named is asked for a token.
    pub(super) fn access(&self, headers: &[(String, String)]) -> Result<Access, Failure> {
        let stores = ClientStores::read(&self.properties).map_err(|error| Failure::new(error.to_string()))?;
        let certificates = Certificates { authorities: stores.authorities, own: stores.own };
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let credentials = self.credentials(&certificates, &variable)?;
        Ok(Access { credentials, certificates, headers: headers.to_vec(), ..Access::default() })
    }

    fn credentials(
        &self,
        certificates: &Certificates,
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Credentials>, Failure> {
        let get = |name: &str| self.properties.get(name).map(String::as_str);
        let needed = |name: &str, by: &str| {
            get(name).ok_or_else(|| Failure::new(format!("the property {by} needs the property {name}")))
        };
        let ways = [get(USER), get(TOKEN), get(TOKEN_ENDPOINT)];
        if ways.iter().flatten().count() > 1 {
            return Err(Failure::new(format!(
                "who asks the server is said in more than one way: {USER}, {TOKEN} and {TOKEN_ENDPOINT} exclude each other"
            )));
        }
        if let Some(user) = get(USER) {
            let password = get(PASSWORD).map(ToOwned::to_owned).or_else(|| variable(PASSWORD_VARIABLE));
            let missing =
                || Failure::new(format!("nothing says the password of {user}: {PASSWORD}, or {PASSWORD_VARIABLE}"));
            return Ok(Some(Credentials::Basic(user.to_owned(), password.ok_or_else(missing)?)));
        }
        if let Some(endpoint) = get(TOKEN_ENDPOINT) {
            let (id, secret) = (needed(TOKEN_ID, TOKEN_ENDPOINT)?, needed(TOKEN_SECRET, TOKEN_ENDPOINT)?);
            let request = TokenRequest { endpoint, id, secret, scope: get(TOKEN_SCOPE).unwrap_or_default() };
            return Ok(Some(request.send(certificates)?));
        }
        Ok(get(TOKEN).map(ToOwned::to_owned).or_else(|| variable(TOKEN_VARIABLE)).map(Credentials::Bearer))
    }
}

/// The text of a new properties file for the server at `url`: what else can be said is there, commented out.
pub(super) fn template(url: &str) -> String {
    let url = url.replace('\\', "\\\\");
    format!(
        "\
{URL}={url}

# Where the server keeps what was applied. <service-id> is its ksql.service.id.
# {STREAM}={STREAM_DEFAULT}
# {TABLE}={TABLE_DEFAULT}
# {STREAM_TOPIC}=<service-id>ksql_{STREAM_DEFAULT}
# {TABLE_TOPIC}=<service-id>ksql_{TABLE_DEFAULT}
# {REPLICAS}=1

# Folder of the migration files, if it is not the one beside this file.
# {FOLDER}=

# HTTPS: key stores, as PEM or PKCS#12.
# ssl.truststore.location=
# ssl.truststore.password=
# ssl.keystore.location=
# ssl.keystore.password=
# ssl.key.password=

# Who asks: a name and a password, or a token of an identity provider. The environment may hold the
# password ({PASSWORD_VARIABLE}) or a token ({TOKEN_VARIABLE}).
# {USER}=
# {PASSWORD}=
# {TOKEN_ENDPOINT}=
# {TOKEN_ID}=
# {TOKEN_SECRET}=
# {TOKEN_SCOPE}=
"
    )
}

/// The headers in a file of lines `name: value`, or `name=value`.
pub(super) fn headers(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let failed = |reason: String| Failure::new(format!("cannot read the headers in {}: {reason}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let entries = java_properties::read(&java_properties::text_of(bytes)).map_err(|error| failed(error.to_string()))?;
    Ok(entries.into_iter().map(|entry| (entry.name, entry.value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Settings, Vec<String>), String> {
        Settings::of_text(Path::new("shop/ksql-migrations.properties"), text).map_err(|failure| failure.to_string())
    }

    fn who(text: &str, password: Option<&str>) -> Result<Option<Credentials>, String> {
        let (settings, _) = read(&format!("{URL}=http://a:1\n{text}")).expect("it can be read");
        let variable = |name: &str| password.filter(|_| name == PASSWORD_VARIABLE).map(ToOwned::to_owned);
        settings.credentials(&Certificates::default(), &variable).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_new_file_says_the_server_and_nothing_else() {
        let (settings, remarks) = read(&template("http://localhost:8088")).expect("it can be read");
        assert_eq!((settings.url.as_str(), settings.replicas), ("http://localhost:8088", 1));
        assert_eq!((settings.stream.as_str(), settings.table.as_str()), (STREAM_DEFAULT, TABLE_DEFAULT));
        assert_eq!((settings.stream_topic, settings.table_topic), (None, None));
        assert_eq!((settings.folder, remarks), (PathBuf::from("shop/migrations"), Vec::new()));
    }

    #[test]
    fn every_line_that_is_commented_out_is_a_property() {
        let text = template("http://a:1").replace("# ", "");
        let names = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        let unknown: Vec<&str> = names.filter(|name| !KNOWN.contains(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn what_is_said_holds() {
        let text = "ksql.server.url = http://a:1\nksql.migrations.stream.name=e\nksql.migrations.table.topic.name=t\n\
                    ksql.migrations.topic.replicas=3\nksql.migrations.dir.override=/srv/sql\nssl.alpn=true\n";
        let (settings, remarks) = read(text).expect("it can be read");
        assert_eq!((settings.stream.as_str(), settings.table_topic.as_deref()), ("e", Some("t")));
        assert_eq!((settings.replicas, settings.folder, remarks.len()), (3, PathBuf::from("/srv/sql"), 0));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let wrong = |text: &str| read(text).err().unwrap_or_default();
        assert!(wrong("a=b").ends_with("the property ksql.server.url is missing"));
        let url = "ksql.server.url=http://a:1\n";
        assert!(wrong(&format!("{url}ksql.migrations.topic.replicas=many")).contains("no number of replicas"));
        assert!(wrong(&format!("{url}ssl.verify.host=false")).contains("always checked"));
        let (_, remarks) = read(&format!("{url}ksql.migrations.stream.nam=x")).expect("it is told, and passed over");
        assert!(remarks[0].ends_with(":2); did you mean ksql.migrations.stream.name?"), "{remarks:?}");
    }

    #[test]
    fn who_asks_is_said_in_one_way() {
        let basic = |password: &str| Ok(Some(Credentials::Basic("ann".to_owned(), password.to_owned())));
        assert_eq!(who("ksql.auth.basic.username=ann\nksql.auth.basic.password=x", Some("y")), basic("x"));
        assert_eq!(who("ksql.auth.basic.username=ann", Some("y")), basic("y"));
        assert_eq!(who("bearer.auth.token=t", None), Ok(Some(Credentials::Bearer("t".to_owned()))));
        assert_eq!(who("", None), Ok(None));
        assert!(who("ksql.auth.basic.username=ann", None).is_err_and(|told| told.contains("password of ann")));
        let both = who("ksql.auth.basic.username=ann\nbearer.auth.token=t", None);
        assert!(both.is_err_and(|told| told.contains("exclude each other")));
        let no_secret = who("bearer.auth.issuer.endpoint.url=http://b\nbearer.auth.client.id=c", None);
        assert!(no_secret.is_err_and(|told| told.contains("needs the property bearer.auth.client.secret")));
    }

    #[test]
    fn headers_stand_in_lines() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("headers");
        std::fs::write(&path, "# of us\nX-Api-Key: abc\nx-b=c d\n").expect("it can be written");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let read = headers(&path).map_err(|failure| failure.to_string());
        assert_eq!(read, Ok(vec![pair("X-Api-Key", "abc"), pair("x-b", "c d")]));
        assert!(headers(&folder.path().join("none")).is_err());
    }
}
