//! A way to the broker that can be cut.
#![expect(clippy::disallowed_methods, reason = "connections live in real time")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How often a connection looks whether the way is cut.
const LOOK: Duration = Duration::from_millis(20);

/// Forwards connections of its port to the broker.
pub struct Proxy {
    /// The port that clients connect to.
    pub port: u16,
    target: Arc<OnceLock<String>>,
    /// Even: the way is open; odd: it is cut. Connections from before a cut do not live on after it.
    cuts: Arc<AtomicU64>,
}

impl Proxy {
    /// A proxy on a free port. Connections wait until it knows where to.
    pub fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (target, cuts) = (Arc::<OnceLock<String>>::default(), Arc::<AtomicU64>::default());
        let (to, flag) = (Arc::clone(&target), Arc::clone(&cuts));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (to, flag) = (Arc::clone(&to), Arc::clone(&flag));
                std::thread::spawn(move || connect(client, to.wait(), &flag));
            }
        });
        Self { port, target, cuts }
    }

    /// Says where the broker is.
    pub fn forward(&self, target: String) {
        self.target.set(target).expect("it is told once");
    }

    /// Cuts the way: nothing comes through and nobody is told, as when a cable is pulled.
    pub fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
    }

    /// Opens the way again. Connections from before are gone.
    pub fn restore(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
    }
}

/// Forwards in both directions until one side ends or the way was cut.
fn connect(client: TcpStream, target: &str, cuts: &Arc<AtomicU64>) {
    let mut born = cuts.load(Ordering::SeqCst);
    while born % 2 == 1 {
        std::thread::sleep(LOOK);
        born = cuts.load(Ordering::SeqCst);
    }
    let Ok(broker) = TcpStream::connect(target) else { return };
    let (Ok(client_out), Ok(broker_out)) = (client.try_clone(), broker.try_clone()) else { return };
    let flag = Arc::clone(cuts);
    let back = std::thread::spawn(move || pump(broker, client_out, born, &flag));
    pump(client, broker_out, born, cuts);
    // It ends as the sockets do.
    let _ = back.join();
}

fn pump(mut from: TcpStream, mut to: TcpStream, born: u64, cuts: &AtomicU64) {
    let mut buffer = vec![0; 64 << 10];
    let _ = from.set_read_timeout(Some(LOOK));
    let _ = to.set_nodelay(true);
    loop {
        let now = cuts.load(Ordering::SeqCst);
        if now == born + 1 {
            std::thread::sleep(LOOK);
            continue;
        }
        if now > born {
            break;
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) if to.write_all(&buffer[..count]).is_err() => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
