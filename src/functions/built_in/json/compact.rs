//! JSON as Jackson writes what it has read: without blanks, escapes and numbers in one spelling, every member once.

use std::ops::Range;

use hashbrown::HashMap;

use crate::types::json_scanner::Scan;
use crate::types::json_text;
use crate::types::number_text::NumberText;

use super::scanner::{Scanner, Text};

/// Members that are compared with each other; more are looked up.
const COMPARED_MAX: usize = 8;

/// A member in what has been written.
struct Member {
    name: Range<usize>,
    value: Range<usize>,
}

/// Writes values. It can be used for one after the other.
#[derive(Default)]
pub(super) struct Compact {
    /// Of the objects that are open.
    members: Vec<Member>,
    out: Vec<u8>,
}

impl Compact {
    /// `value`, which is good JSON, as JSON.
    pub(super) fn json(&mut self, value: &str) -> &str {
        self.out.clear();
        self.append(value);
        self.text()
    }

    /// `value`, which is good JSON, as text: texts as what they stand for, others as JSON.
    pub(super) fn plain(&mut self, value: &str) -> &str {
        self.out.clear();
        let mut scanner = Scanner::new(value);
        match scanner.next_token() {
            b'"' => {
                let text = scanner.string().map(Text::plain);
                self.out.extend_from_slice(text.as_deref().unwrap_or_default().as_bytes());
            }
            _ => self.append(value),
        }
        self.text()
    }

    fn append(&mut self, value: &str) {
        let written = self.write(&mut Scanner::new(value));
        debug_assert_eq!(written, Ok(()), "{value}");
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.out).expect("what is written is UTF-8")
    }

    fn write(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        match scanner.next_token() {
            b'"' => self.write_text(scanner.string()?),
            b'{' => self.write_object(scanner)?,
            b'[' => {
                self.out.push(b'[');
                scanner.open();
                let mut first = true;
                while scanner.another(first, b']')? {
                    self.separate(first);
                    first = false;
                    self.write(scanner)?;
                }
                self.out.push(b']');
            }
            b'-' | b'0'..=b'9' => write_number(&mut self.out, &scanner.number()?),
            _ => self.out.extend_from_slice(scanner.value()?.as_bytes()),
        }
        Ok(())
    }

    fn separate(&mut self, first: bool) {
        if !first {
            self.out.push(b',');
        }
    }

    fn write_text(&mut self, text: Text<'_>) {
        json_text::write_text(&mut self.out, text.plain().as_bytes());
    }

    fn write_object(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        let (start, outer) = (self.out.len(), self.members.len());
        self.out.push(b'{');
        scanner.open();
        let mut first = true;
        while scanner.another(first, b'}')? {
            self.separate(first);
            first = false;
            let at_name = self.out.len();
            self.write_text(scanner.name()?);
            let name = at_name..self.out.len();
            self.out.push(b':');
            let at_value = self.out.len();
            self.write(scanner)?;
            self.members.push(Member { name, value: at_value..self.out.len() });
        }
        self.out.push(b'}');
        if has_repeated(&self.members[outer..], &self.out) {
            let once = without_repeated(&self.members[outer..], &self.out);
            self.out.truncate(start);
            self.out.extend_from_slice(&once);
        }
        self.members.truncate(outer);
        Ok(())
    }
}

fn has_repeated(members: &[Member], out: &[u8]) -> bool {
    let name = |member: &Member| &out[member.name.clone()];
    if members.len() <= COMPARED_MAX {
        let is_repeated = |at: usize| members[..at].iter().any(|before| name(before) == name(&members[at]));
        return (1..members.len()).any(is_repeated);
    }
    let mut known = HashMap::with_capacity_and_hasher(members.len(), foldhash::fast::RandomState::default());
    members.iter().any(|member| known.insert(name(member), ()).is_some())
}

/// The object of `members`, where the last one of a name stands in the place of the first.
fn without_repeated(members: &[Member], out: &[u8]) -> Vec<u8> {
    let mut places = HashMap::with_hasher(foldhash::fast::RandomState::default());
    let mut once: Vec<&Member> = Vec::new();
    for member in members {
        let place = *places.entry(&out[member.name.clone()]).or_insert(once.len());
        if place == once.len() {
            once.push(member);
        } else {
            once[place] = member;
        }
    }
    let mut object = vec![b'{'];
    for (index, member) in once.into_iter().enumerate() {
        if index > 0 {
            object.push(b',');
        }
        object.extend_from_slice(&out[member.name.start..member.value.end]);
    }
    object.push(b'}');
    object
}

/// Appends `number` as Java prints it: whole numbers as they are, others as `BigDecimal.toString`.
fn write_number(out: &mut Vec<u8>, number: &NumberText<'_>) {
    let has_exponent = !number.integral && number.text.iter().any(|byte| matches!(byte, b'e' | b'E'));
    let is_small = number.whole == b"0" && (number.negative || number.fraction.starts_with(b"000000"));
    if !has_exponent && !is_small {
        return out.extend_from_slice(number.text);
    }
    number.write_java(out, &mut Vec::new());
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// A document of any kind, without repeated members.
    pub(in super::super) fn any_document() -> impl Strategy<Value = Value> {
        let text =
            || proptest::string::string_regex("[a-c\"\\\\/\u{0}\n\u{1f}\u{7f}é€😀\u{2028}]{0,12}").expect("a pattern");
        let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            proptest::string::string_regex(number)
                .expect("a pattern")
                .prop_map(|text| { serde_json::from_str(&text).expect("a number") }),
            text().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 12, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
                prop::collection::vec((text(), inner), 0..12)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    pub(in super::super) fn written(document: &Value, indented: bool) -> String {
        let text = if indented { serde_json::to_string_pretty(document) } else { serde_json::to_string(document) };
        text.expect("a document can be written")
    }

    #[test]
    fn values_are_written_as_jackson_writes_them() {
        let cases = [
            (r#" { "a" : [ 1 , true , null ] , "b" : { } } "#, r#"{"a":[1,true,null],"b":{}}"#),
            (r#""\u00e9\/\u0001\u001F\n\"""#, r#""é/\u0001\u001F\n\"""#),
            (r#""\ud83d\ude00\ud83d""#, "\"😀\u{fffd}\""),
            (
                "[1.50,1e3,-0,-0.0,0.0000001,123456789012345678901234567890]",
                "[1.50,1E+3,0,0.0,1E-7,123456789012345678901234567890]",
            ),
            ("[0.000001,-0.5,1E-2,10e-2,0e5]", "[0.000001,-0.5,0.01,0.10,0E+5]"),
            (r#"{"a":1,"b":2,"\u0061":{"c":1,"c":2}}"#, r#"{"a":{"c":2},"b":2}"#),
            (
                r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"b":[{"x":1,"x":2}]}"#,
                r#"{"a":1,"b":[{"x":2}],"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}"#,
            ),
        ];
        let mut compact = Compact::default();
        for (json, expected) in cases {
            assert_eq!(compact.json(json), expected, "{json}");
        }
        assert_eq!(compact.plain(r#"  "a\nb""#), "a\nb");
        assert_eq!(compact.plain("[ 1]"), "[1]");
    }

    proptest! {
        #[test]
        fn what_is_written_is_the_same_document(document in any_document(), indented: bool) {
            let mut compact = Compact::default();
            let ours: Value = serde_json::from_str(compact.json(&written(&document, indented))).expect("good JSON");
            let again = written(&ours, false).replace("\\u001f", "\\u001F");
            prop_assert_eq!(compact.json(&written(&ours, true)), again);
            prop_assert_eq!(shape(&ours), shape(&document));
        }
    }

    /// `document` with doubles in place of its numbers.
    fn shape(document: &Value) -> Value {
        match document {
            Value::Number(number) => Value::from(number.as_f64().map(|number| format!("{:?}", number + 0.0))),
            Value::Array(elements) => elements.iter().map(shape).collect(),
            Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
            other => other.clone(),
        }
    }
}
