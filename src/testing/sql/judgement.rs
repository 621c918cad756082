//! Whether a test that must fail failed as it must.

use super::run::{Cause, Stop};
use crate::testing::driver::Stage;

/// Checks the end of a test that must fail, with an error of the Java class `class` whose text has `message` in it.
pub fn check(class: Option<&str>, message: Option<&str>, stopped: Result<(), Stop>) -> Result<(), String> {
    let Err(stop) = stopped else {
        let wanted = message.or(class).unwrap_or("some error");
        return Err(format!("nothing failed, expected: {wanted}"));
    };
    if let Cause::Broken(_) = stop.cause {
        return Err(stop.to_string());
    }
    if let Some(class) = class.filter(|class| !is_of(class, &stop.cause)) {
        return Err(format!("expected {class}, but it failed in another way: {stop}"));
    }
    match message {
        Some(message) if !stop.cause.text().contains(message) => {
            Err(format!("it failed with another text\nexpected: {message}\ngot: {stop}"))
        }
        _ => Ok(()),
    }
}

/// Whether an error could be of this class, as far as it says when something fails; of other classes, any could be.
fn is_of(class: &str, cause: &Cause) -> bool {
    let stage = match cause {
        Cause::Failed(failure) => Some(failure.stage),
        Cause::Asserted(_) | Cause::Broken(_) => None,
    };
    match class.rsplit('.').next().unwrap_or(class) {
        "ParseFailedException" | "KsqlStatementException" => {
            matches!(stage, Some(Stage::Syntax | Stage::Rejected))
        }
        "AssertionError" => stage.is_none(),
        "StreamsException" => stage == Some(Stage::Runtime),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::driver::Failure;

    fn judge(class: &str, message: &str, cause: Option<Cause>) -> Option<String> {
        let stopped = cause.map_or(Ok(()), |cause| Err(Stop { file: "a.sql".to_owned(), place: (3, 1), cause }));
        check(Some(class), Some(message), stopped).err()
    }

    #[test]
    fn stage_and_text_must_fit() {
        let rejected = || Some(Failure::new(Stage::Rejected, "no such column: X").into());
        let asserted = || Some(Cause::Asserted("Expected record does not match actual.".to_owned()));
        let statement = "io.confluent.ksql.util.KsqlStatementException";
        let any = "io.confluent.ksql.util.KsqlException";
        assert_eq!(judge(statement, "such column", rejected()), None);
        assert_eq!(judge(any, "Expected record does not match actual", asserted()), None);
        assert_eq!(judge("java.lang.AssertionError", "Expected record", asserted()), None);
        assert!(judge(statement, "x", asserted()).expect("an assertion is no statement").contains("in another way"));
        assert!(judge("java.lang.AssertionError", "x", rejected()).expect("no assertion").contains("in another way"));
        assert!(judge(any, "Such", rejected()).expect("case counts").starts_with("it failed with another text"));
        assert_eq!(judge(any, "Such", None), Some("nothing failed, expected: Such".to_owned()));
        let broken = Some(Cause::Broken("cannot read x".to_owned()));
        assert_eq!(judge(any, "cannot", broken), Some("a.sql:3:1: cannot read x".to_owned()));
    }
}
