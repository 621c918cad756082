//! CPU time, wall time and memory: of this process and of a child.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// CPU time of all threads of this process, from [`CpuTimer::start`] on.
pub struct CpuTimer(Duration);

impl CpuTimer {
    /// Starts from now.
    pub fn start() -> Self {
        Self(process_cpu())
    }

    /// CPU time used since the start.
    pub fn elapsed(&self) -> Duration {
        process_cpu().saturating_sub(self.0)
    }
}

fn process_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec that outlives the call.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "every Linux has a process CPU clock");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What a child process cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// User and system time.
    pub cpu: Duration,
    /// From start to exit.
    pub wall: Duration,
    /// Greatest resident set.
    pub resident_bytes_max: u64,
}

/// Runs `command` to its end, its standard output thrown away.
///
/// # Panics
/// When it cannot be started or fails: there is nothing to measure then.
#[expect(clippy::disallowed_methods, reason = "how long a process takes is what is measured")]
#[expect(clippy::zombie_processes, reason = "wait4 waits, and says what the child cost; `wait` does not")]
pub fn child_cost(command: &mut Command) -> Cost {
    let start = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the binary was built for this run");
    let mut status = 0;
    // SAFETY: an all-zero rusage is valid; both pointers outlive the call; the child is ours and not waited for yet.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let pid = child.id() as libc::pid_t;
    // SAFETY: as above.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    let wall = start.elapsed();
    assert_eq!(waited, pid, "the child ends");
    assert_eq!(status, 0, "{command:?} succeeds");
    let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
    Cost { cpu, wall, resident_bytes_max: usage.ru_maxrss as u64 * 1024 }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1_000)
}

/// How long a loop is measured at a time, and how often it runs between two looks at the clock.
const MEASURED: Duration = Duration::from_millis(200);
const RUNS: usize = 4;

/// How often `run` runs in a second of CPU time, the median of `repeats`.
pub fn runs_per_second(repeats: usize, mut run: impl FnMut()) -> f64 {
    let mut once = || {
        let (timer, mut runs) = (CpuTimer::start(), 0);
        while timer.elapsed() < MEASURED {
            (0..RUNS).for_each(|_| run());
            runs += RUNS;
        }
        runs as f64 / timer.elapsed().as_secs_f64()
    };
    median((0..repeats).map(|_| once()).collect())
}

/// The median of `values`.
pub fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|left, right| left.partial_cmp(right).expect("times are numbers"));
    values[values.len() / 2]
}
