//! The same calls of functions, operators and CAST in Levada and in a JDK: every result must be equal.
//!
//! `Calls.java` says what is expected by classes of the JDK (`String`, `Pattern`, `DateTimeFormatter`, `BigDecimal`, `URI`), from the
//! description of the functions. Blind where both have read that wrong; finds where we do not do what Java does.
//!
//! Where there is no JDK the test says so and passes, unless `LEVADA_KAFKA=required`.

mod call;
mod jdk;
mod kinds;
mod random;
mod regex;
mod time;

use std::io::{self, Write as _};

use call::Call;
use kinds::KINDS;

use crate::crash::Random;

/// Calls of each kind, where LEVADA_JAVA_CALLS says nothing else.
const CALLS: usize = 60;

/// Seed, where LEVADA_JAVA_SEED says nothing else.
const SEED: u64 = 1;

/// What the other side says of a call that is not compared.
const NOT_COMPARED: &str = "?";

/// Differences of a kind that are told.
const TOLD: usize = 5;

#[test]
fn levada_gives_what_java_gives() {
    if let Err(reason) = jdk::set_up() {
        let required = std::env::var("LEVADA_KAFKA").is_ok_and(|value| value == "required");
        assert!(!required, "{reason}");
        say(&format!("SKIPPED: {reason}"));
        return;
    }
    let (count, seed) = (from_environment("CALLS", CALLS), from_environment("SEED", SEED));
    let only = std::env::var("LEVADA_JAVA_KIND").unwrap_or_default();
    let kinds: Vec<_> = KINDS.iter().filter(|(name, _)| name.starts_with(&only)).collect();
    assert!(!kinds.is_empty(), "no kind is called {only}");
    let calls: Vec<Call> = kinds.iter().flat_map(|(name, generate)| calls(name, *generate, count, seed)).collect();
    let (expected, in_columns) = (jdk::answers(&calls), call::with_columns(&calls));
    let mut report = String::new();
    let mut answered = 0;
    for (index, (name, _)) in kinds.iter().enumerate() {
        let range = index * count..(index + 1) * count;
        answered += expected[range.clone()]
            .iter()
            .filter(|result| !["!", "~", NOT_COMPARED].contains(&result.as_str()))
            .count();
        let differences: Vec<String> = range
            .filter_map(|call| {
                if expected[call] == NOT_COMPARED {
                    return None;
                }
                let given = [in_columns[call].clone(), calls[call].with_constants()];
                let (given, reason) = given.into_iter().find(|(given, _)| *given != expected[call])?;
                let (line, expected, reason) = (calls[call].text(), &expected[call], reason.unwrap_or_default());
                Some(format!("  {line}\n    Java   {expected}\n    Levada {given} {reason}\n"))
            })
            .collect();
        if !differences.is_empty() {
            let told: String = differences.iter().take(TOLD).map(String::as_str).collect();
            report.push_str(&format!("{name}, {} of {count} differ:\n{told}", differences.len()));
        }
    }
    assert!(report.is_empty(), "seed {seed}:\n{report}");
    assert!(answered > calls.len() / 3, "only {answered} of {} calls have a value", calls.len());
    say(&format!("{count} calls of each of {} kinds, seed {seed}: all equal, {answered} of them values", kinds.len()));
}

/// `count` calls of a kind, some with a NULL.
fn calls(name: &str, generate: fn(&mut Random) -> Call, count: usize, seed: u64) -> Vec<Call> {
    // The name goes into the seed, or all kinds would see the same texts.
    let mixed = name.bytes().fold(seed, |mixed, byte| mixed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = Random(mixed);
    let one = |_| {
        let mut call = generate(&mut random);
        if random.next(30) == 0 {
            let index = random.next(call.arguments.len() as u64) as usize;
            call.arguments[index] = call.arguments[index].clone().null();
        }
        call
    };
    (0..count).map(one).collect()
}

fn from_environment<T: std::str::FromStr>(name: &str, default: T) -> T {
    let value = std::env::var(format!("LEVADA_JAVA_{name}"));
    value.ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("LEVADA_JAVA_{name} is a number")))
}

/// A line that the test harness does not keep to itself when the test passes.
fn say(text: &str) {
    // Without a standard error there is nobody to tell.
    drop(writeln!(io::stderr(), "java: {text}"));
}
