//! Ctrl-C and termination signals, as a question that running work asks.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use super::live;

/// Exit code of a process that a signal ended, as shells report Ctrl-C.
const EXIT_INTERRUPTED: i32 = 130;

/// Whether somebody has asked the running work to stop.
///
/// While work is under way (see [`Interrupt::work`]), a first signal only asks; a second ends the process at once, unless a
/// person is there ([`Interrupt::spare_process`]): then only one that comes some seconds later does, which work that can be
/// stopped does not live to see. When nothing is under way, a signal ends the process: storage is safe at any moment.
#[derive(Debug, Default)]
pub struct Interrupt {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Pieces of work, one inside of another.
    working: usize,
    requested: bool,
    /// When that was.
    since: Option<Instant>,
    /// Whether impatient signals are passed over.
    spares: bool,
}

/// Work that does not stop for so long cannot be stopped.
const HANGS: Duration = Duration::from_secs(5);

/// Work under way; ends when dropped.
#[derive(Debug)]
pub struct Work<'a> {
    interrupt: &'a Interrupt,
}

static PROCESS: Interrupt = Interrupt {
    state: Mutex::new(State { working: 0, requested: false, since: None, spares: false }),
    changed: Condvar::new(),
};

impl Interrupt {
    /// The interrupt of this process: listens to its signals from the first call on.
    ///
    /// A line editor that takes signals for itself must be made before, so that these handlers stay in place.
    pub fn of_process() -> &'static Self {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            let listening = ctrlc::set_handler(|| {
                // Before the work is asked to stop: it removes the lines then.
                let are_lines_shown = live::is_shown();
                let ends = PROCESS.signal();
                // The terminal has shown ^C: what follows begins on a line of its own, as it does
                // below lines that change, which are as wide as the terminal.
                if io::stderr().is_terminal() && (ends || !are_lines_shown) {
                    let _ = writeln!(io::stderr());
                }
                if ends {
                    std::process::exit(EXIT_INTERRUPTED);
                }
            });
            if let Err(error) = listening {
                tracing::warn!(%error, "cannot listen to Ctrl-C; it will end the process at once");
            }
        });
        &PROCESS
    }

    /// Begins work that can be asked to stop; forgets earlier requests.
    pub fn work(&self) -> Work<'_> {
        let mut state = self.lock();
        if state.working == 0 {
            (state.requested, state.since) = (false, None);
        }
        state.working += 1;
        Work { interrupt: self }
    }

    /// Keeps signals that follow closely upon each other from ending the process.
    pub fn spare_process(&self) {
        self.lock().spares = true;
    }

    /// Whether the work under way should stop.
    pub fn is_requested(&self) -> bool {
        self.lock().requested
    }

    /// Waits until the work under way should stop, at most `timeout`; says whether it should.
    pub fn wait(&self, timeout: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, |state| !state.requested);
        waited.unwrap_or_else(PoisonError::into_inner).0.requested
    }

    /// Takes note of a signal; says whether the process should end now.
    #[expect(clippy::disallowed_methods, reason = "it is the person's time")]
    pub(super) fn signal(&self) -> bool {
        let mut state = self.lock();
        let first = state.working > 0 && !state.requested;
        let since = *state.since.get_or_insert_with(Instant::now);
        let is_early = state.spares && state.working > 0 && since.elapsed() < HANGS;
        state.requested = true;
        self.changed.notify_all();
        !first && !is_early
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        let mut state = self.interrupt.lock();
        state.working -= 1;
        if state.working == 0 {
            (state.requested, state.since) = (false, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_asks_and_the_second_ends() {
        let interrupt = Interrupt::default();
        let _work = interrupt.work();
        assert!(!interrupt.is_requested());
        assert!(!interrupt.signal(), "the first signal leaves the work time to stop");
        assert!(interrupt.is_requested());
        assert!(interrupt.wait(Duration::from_hours(1)), "waiting ends at once");
        assert!(interrupt.signal(), "the second signal does not wait");
    }

    #[test]
    fn a_signal_without_work_ends_the_process() {
        let interrupt = Interrupt::default();
        assert!(interrupt.signal());
    }

    #[test]
    fn a_person_may_press_again() {
        let interrupt = Interrupt::default();
        interrupt.spare_process();
        let _work = interrupt.work();
        assert!(!interrupt.signal());
        assert!(!interrupt.signal(), "a key that is held down does not end the shell");
    }

    #[test]
    fn work_inside_of_work_leaves_the_request_to_it() {
        let interrupt = Interrupt::default();
        let _outer = interrupt.work();
        let inner = interrupt.work();
        interrupt.signal();
        drop(inner);
        assert!(interrupt.is_requested());
    }

    #[test]
    fn a_request_ends_with_its_work() {
        let interrupt = Interrupt::default();
        let work = interrupt.work();
        interrupt.signal();
        drop(work);
        let _next = interrupt.work();
        assert!(!interrupt.is_requested());
    }
}
