//! The schema registry against Apache Avro's own rules, and against clients that others have written.

mod avro_rules;
mod command;
mod kafkajs;
mod parcels;
mod python_clients;

pub use command::Served;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use levada::http::{HttpServer, Listen, Moment};
use levada::registry::{Access, EmbeddedRegistry, serve_to};

/// Whether tests that need something from elsewhere must not be left out.
fn is_required() -> bool {
    std::env::var("LEVADA_KAFKA").is_ok_and(|value| value == "required")
}

/// A line that the test harness does not keep to itself when the test passes.
fn say(text: &str) {
    // Without a standard error there is nobody to tell.
    drop(writeln!(io::stderr(), "registry: {text}"));
}

/// Runs a script of `tests/clients`; `trusted` is a file of certificates that its program believes.
fn client(language: &str, arguments: &[&str], input: &str, trusted: Option<&Path>) -> Output {
    let script = format!("tests/clients/{language}.sh");
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(script));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(trusted) = trusted {
        command.env("LEVADA_CA", trusted).env("NODE_EXTRA_CA_CERTS", trusted);
    }
    let mut child = command.spawn().expect("the script can be run");
    // A program that reads nothing may have ended.
    drop(child.stdin.take().expect("piped").write_all(input.as_bytes()));
    child.wait_with_output().expect("the script ends")
}

/// A registry over HTTPS that knows ada, whose password is quince.
struct Locked {
    _folder: tempfile::TempDir,
    server: HttpServer,
    /// The file with its certificate.
    certificate: PathBuf,
}

impl Locked {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("it can be written");
            path
        };
        let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
        let certificate = file("certificate.pem", own.cert.pem());
        let properties = [
            ("ssl.keystore.location", file("server.pem", own.cert.pem() + &own.signing_key.serialize_pem())),
            ("authentication.method", PathBuf::from("BASIC")),
            ("levada.users.file", file("users", "ada: quince, admin\n".to_owned())),
        ];
        let properties: BTreeMap<String, String> =
            properties.into_iter().map(|(name, value)| (name.to_owned(), value.display().to_string())).collect();
        let now = || Moment { elapsed: Duration::ZERO, now_ms: 0 };
        let access = Arc::new(Access::new(&properties, Box::new(now)).expect("the properties are right"));
        let listen = Listen::parse("https://127.0.0.1:0").expect("an address");
        let server = serve_to(Arc::new(EmbeddedRegistry::in_memory()), listen, &access).expect("a free port");
        Self { _folder: folder, server, certificate }
    }

    /// Its address for `user:password`.
    fn url(&self, user: &str) -> String {
        format!("https://{user}@{}", self.server.address())
    }
}
