//! What `packaging` has for systemd and Docker is true of the binary: its options, its properties, what it tells who has started it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use levada::configuration;

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(packaging().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A process that is ended with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `levada` with `arguments`, in a folder of its own.
fn levada(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a server; the address that it says.
fn start(command: &mut Command) -> (Server, String) {
    let mut server = Server(command.spawn().expect("the binary starts"));
    let mut line = String::new();
    let out = server.0.stdout.take().expect("standard output is a pipe");
    BufReader::new(out).read_line(&mut line).expect("the server says where it listens");
    (server, line.trim().to_owned())
}

#[test]
fn systemd_learns_when_a_server_is_ready_and_when_it_stops() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_mins(1))).expect("a timeout can be set");
    let told = || {
        let mut bytes = [0; 1024];
        let length = socket.recv(&mut bytes).expect("it is told");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let mut command = levada(folder.path(), &["server", "--listen", "127.0.0.1:0", "--data-dir", "data"]);
    let (mut server, address) = start(command.env("NOTIFY_SOCKET", &path));
    assert_eq!(told(), format!("READY=1\nSTATUS=listening at {address}\n"));
    let pid = libc::pid_t::try_from(server.0.id()).expect("a process id");
    // SAFETY: a signal to a process that this test has started and not waited for.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    assert!(told().starts_with("STOPPING=1\n"));
    assert!(server.0.wait().expect("it ends").success());
}

#[cfg(target_os = "linux")]
#[test]
fn the_socket_of_systemd_may_be_in_no_folder() {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;

    let folder = tempfile::tempdir().expect("a folder for the test");
    let name = format!("levada-test-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name")).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_mins(1))).expect("a timeout can be set");
    let mut command = levada(folder.path(), &["server", "--listen", "127.0.0.1:0", "--data-dir", "data"]);
    let (_server, _) = start(command.env("NOTIFY_SOCKET", format!("@{name}")));
    let mut bytes = [0; 1024];
    let length = socket.recv(&mut bytes).expect("it is told");
    assert!(bytes[..length].starts_with(b"READY=1\n"));
}

/// The words after `levada` of each command in `text` that begins with it, without quotes and commas.
fn arguments<'a>(text: &'a str, begin: &str) -> Vec<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(begin)).unwrap_or_else(|| panic!("no {begin}"));
    line.split([' ', ',', '"', '[', ']']).filter(|word| !word.is_empty()).collect()
}

#[test]
fn commands_are_those_of_the_binary() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let help = levada(folder.path(), &["server", "--help"]).output().expect("the binary starts");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let (unit, image) = (read("systemd/levada.service"), read("docker/Dockerfile"));
    for words in [arguments(&unit, "ExecStart=/usr/local/bin/levada"), arguments(&image, "CMD")] {
        let mut words = words.into_iter();
        assert_eq!(words.next(), Some("server"));
        let options: Vec<&str> = words.filter(|word| word.starts_with("--")).collect();
        assert!(!options.is_empty());
        for option in options {
            let is_known = help.lines().any(|line| line.trim_start().starts_with(&format!("{option} ")));
            assert!(is_known, "{option} in\n{help}");
        }
    }
}

#[test]
fn properties_are_known_and_have_values_that_they_take() {
    let image = read("docker/Dockerfile");
    let compose = read("docker/compose.yaml");
    let of_image = image.lines().filter_map(|line| line.strip_prefix("ENV ")?.split_once('='));
    let of_compose = compose.lines().filter_map(|line| line.trim().split_once(": "));
    let environment: Vec<(String, String)> = of_image
        .chain(of_compose)
        .filter(|(name, _)| name.starts_with("KSQL_") || name.starts_with("LEVADA_"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert!(environment.len() >= 5, "{environment:?}");
    let of_environment = configuration::load(&[], environment, &[]).expect("values that they take");
    assert_eq!(of_environment.warnings(), &[] as &[String]);
    assert_eq!(of_environment.value("bootstrap.servers"), Some("kafka:9092"));
    assert_eq!(of_environment.value("ksql.service.id"), Some("compose_"));

    // What is commented out is as right as the rest.
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("server.properties");
    let text = read("systemd/server.properties");
    let all: Vec<&str> =
        text.lines().map(|line| line.strip_prefix("# ").filter(|line| line.contains('=')).unwrap_or(line)).collect();
    std::fs::write(&file, all.join("\n")).expect("it can be written");
    let of_file = configuration::load(&[file], Vec::new(), &[]).expect("values that they take");
    assert_eq!(of_file.warnings(), &[] as &[String]);
    assert!(of_file.values().len() >= 7, "{:?}", of_file.values());
}

#[test]
fn the_check_of_the_image_finds_out_whether_a_server_is_well() {
    let image = read("docker/Dockerfile");
    let line = image.lines().find_map(|line| line.trim().strip_prefix("CMD [\"bash\", \"-c\", ")).expect("a check");
    let check: String = serde_json::from_str(line.trim_end_matches(']')).expect("a text");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut command = levada(folder.path(), &["server", "--data-dir", "data"]);
    let (server, address) = start(command.env("KSQL_LISTENERS", "http://127.0.0.1:0"));
    let port = address.rsplit(':').next().expect("a port");
    let is_well = || {
        let check = check.replace("8088", port);
        Command::new("bash").args(["-c", &check]).stderr(Stdio::null()).status().expect("there is a shell").success()
    };
    assert!(check.contains("8088") && is_well());
    drop(server);
    assert!(!is_well());
}

/// Packs the binary of this test with `packaging/release.sh`, into `folder`.
fn release(folder: &Path) {
    let mut command = Command::new(packaging().join("release.sh"));
    command.args(["--binary", env!("CARGO_BIN_EXE_levada"), "--out"]).arg(folder);
    let output = command.env("SOURCE_DATE_EPOCH", "1700000000").output().expect("the script can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_release_has_all_that_belongs_to_the_binary() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    release(folder.path());
    // The same binary gives the same archive: nothing in it is of this machine or this moment.
    let list = Command::new("sh")
        .args(["-ec", "tar --list --verbose --utc --file levada-*.tar.gz"])
        .current_dir(folder.path())
        .output()
        .expect("there is a shell");
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(
        list.lines().count() > 20 && list.lines().all(|line| line.contains(" 0/0 ") && line.contains(" 2023-11-14 ")),
        "{list}"
    );
    let names: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next_back()).collect();
    assert!(names.is_sorted(), "{list}");

    let script = "sha256sum --check --quiet levada-*.sha256 && tar --extract --file levada-*.tar.gz --strip-components 1 && ./levada --version";
    let output =
        Command::new("sh").args(["-ec", script]).current_dir(folder.path()).output().expect("there is a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), concat!("levada ", env!("CARGO_PKG_VERSION")));
    let size = |path: &Path| path.metadata().map(|metadata| metadata.len()).expect("the file is there");
    assert!(size(&folder.path().join("levada")) < size(Path::new(env!("CARGO_BIN_EXE_levada"))), "it is stripped");
    let files = [
        "LICENSE",
        "README.md",
        "completions/levada",
        "completions/_levada",
        "completions/levada.fish",
        "man/man1/levada.1",
        "man/man1/levada-topic-produce.1",
        "systemd/levada.service",
        "systemd/levada.sysusers",
        "systemd/server.properties",
    ];
    for file in files {
        assert!(size(&folder.path().join(file)) > 0, "{file}");
    }
}

/// What the image takes of a release is in it.
#[test]
fn the_image_is_built_from_a_release() {
    let image = read("docker/Dockerfile");
    assert!(image.contains("packaging/release.sh --out /release"), "{image}");
    let script = read("release.sh");
    let taken: Vec<&str> =
        image.lines().filter_map(|line| line.strip_prefix("COPY --from=build /unpacked/")?.split(' ').next()).collect();
    assert_eq!(taken, ["levada", "LICENSE"]);
    for file in taken {
        assert!(script.contains(&format!("strip -o {file} ")) || script.contains(&format!("/{file}\"")), "{file}");
    }
}

/// Bash completes what is typed with the script that the binary writes.
#[test]
fn bash_completes_commands_and_options() {
    let complete = |words: &[&str]| {
        let script = "source <(\"$0\" completions bash); COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
            _levada \"$1\" \"${@: -1}\" \"${@: -2:1}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
        let mut command = Command::new("bash");
        let output =
            command.args(["-c", script, env!("CARGO_BIN_EXE_levada")]).args(words).output().expect("there is bash");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete(&["levada", "da"]), ["datagen"]);
    assert_eq!(complete(&["levada", "topic", "prod"]), ["produce"]);
    assert_eq!(complete(&["levada", "run", "--until"]), ["--until-idle"]);
    assert!(complete(&["levada", "completions", ""]).contains(&"zsh".to_owned()));
}

/// A file that another names is there.
#[test]
fn files_that_are_named_are_there() {
    let compose = read("docker/compose.yaml");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = compose.lines().find_map(|line| line.trim().strip_prefix("dockerfile: ")).expect("it is named");
    assert!(root.join(named).is_file(), "{named}");
    let mounted = compose.lines().filter_map(|line| line.trim().strip_prefix("- .")?.split(':').next());
    let mounted: Vec<PathBuf> = mounted.map(|path| packaging().join("docker").join(format!(".{path}"))).collect();
    assert!(mounted.len() >= 3 && mounted.iter().all(|path| path.exists()), "{mounted:?}");
    let unit = read("systemd/levada.service");
    let user = unit.lines().find_map(|line| line.strip_prefix("User=")).expect("it has a user");
    assert!(read("systemd/levada.sysusers").contains(&format!("\nu {user} ")));
    let documented = std::fs::read_to_string(root.join("docs/operations.md")).expect("the page");
    for file in ["levada.service", "levada.sysusers", "server.properties", "Dockerfile", "compose.yaml"] {
        assert!(documented.contains(file), "{file}");
    }
}
