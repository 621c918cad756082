//! Random pairs of Avro schemas: whether one reads what the other has written, and how a schema is printed, must be what Apache
//! Avro itself says. What each rule is about is told by the unit tests.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use levada::registry::{EmbeddedRegistry, Registration, SchemaDocument, SchemaType};
use serde_json::{Map, Value, json};

use super::{is_required, say};
use crate::crash::Random;

/// Pairs, where LEVADA_AVRO_CASES says nothing else.
const CASES: usize = 800;
/// Seed of the first, where LEVADA_AVRO_SEED says nothing else.
const SEED: u64 = 1;

#[test]
fn schemas_read_each_other_as_apache_avro_says() {
    let setup = script("setup").stdin(Stdio::null()).output().expect("the script can be run");
    if !setup.status.success() {
        let reason = String::from_utf8_lossy(&setup.stderr).into_owned();
        assert!(!is_required(), "no Apache Avro: {reason}");
        say(&format!("SKIPPED: Apache Avro cannot be run here: {reason}"));
        return;
    }
    let (cases, seed) = (from_environment("CASES", CASES as u64), from_environment("SEED", SEED));
    let pairs: Vec<(Value, Value)> = (seed..seed + cases).map(|seed| pair(&mut Random(seed * 7_919))).collect();
    let answers = ask(&pairs);
    let (mut compatible, mut incompatible, mut refused) = (0, 0, 0);
    for (index, ((reader, writer), answer)) in pairs.iter().zip(&answers).enumerate() {
        let seed = seed + index as u64;
        let Some((expected, printed)) = answer.split_once(' ') else {
            refused += 1;
            continue;
        };
        let (reads, text) = ours(reader, writer);
        let shown = format!("seed {seed}\nreader {reader}\nwriter {writer}\n{}", reads.join("\n"));
        assert_eq!(reads.is_empty().to_string(), expected, "{shown}");
        assert_eq!(text, printed, "seed {seed}");
        if reads.is_empty() { compatible += 1 } else { incompatible += 1 }
    }
    let text =
        format!("{compatible} pairs are compatible, {incompatible} are not, {refused} are refused by Apache Avro");
    let least = cases as usize / 6;
    assert!(compatible > least && incompatible > least && refused < least, "too many of one kind: {text}");
    say(&text);
}

/// Why `reader` cannot read what `writer` has written, and the text of the reader.
fn ours(reader: &Value, writer: &Value) -> (Vec<String>, String) {
    let registry = EmbeddedRegistry::in_memory();
    let document = |schema: &Value| SchemaDocument::new(SchemaType::Avro, schema.to_string());
    let register = |subject, schema| registry.register(subject, &document(schema), Registration::default());
    register("s", writer).unwrap_or_else(|refusal| panic!("{refusal}: {writer}"));
    let reads = registry.incompatibilities("s", &document(reader), None);
    let reads = reads.unwrap_or_else(|refusal| panic!("{refusal}: {reader}"));
    let text = register("text", reader).unwrap_or_else(|refusal| panic!("{refusal}: {reader}")).schema.text;
    (reads, text)
}

fn ask(pairs: &[(Value, Value)]) -> Vec<String> {
    let mut child = script("run")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the script can be run");
    let text: String =
        pairs.iter().flat_map(|(reader, writer)| [format!("{reader}\n"), format!("{writer}\n")]).collect();
    let mut stdin = child.stdin.take().expect("piped");
    // Answers are written while pairs are read: both pipes must be served.
    let feed = thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
    let output = child.wait_with_output().expect("the script ends");
    feed.join().expect("pairs are written");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).expect("answers are text");
    let answers: Vec<String> = answers.lines().map(ToOwned::to_owned).collect();
    assert_eq!(answers.len(), pairs.len(), "an answer for each pair");
    answers
}

fn script(action: &str) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registry/compatibility.sh"));
    command.arg(action);
    command
}

fn from_environment(name: &str, default: u64) -> u64 {
    let value = std::env::var(format!("LEVADA_AVRO_{name}"));
    value.ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("LEVADA_AVRO_{name} is a number")))
}

/// A reader and a writer: mostly two versions of one schema.
fn pair(random: &mut Random) -> (Value, Value) {
    let mut writer = Schemas { random, names: 0 };
    let written = writer.record(0);
    let mut reader = written.clone();
    let mut changes = Changes { random, added: 0 };
    for _ in 0..changes.random.next(3) {
        changes.change(&mut reader, 0);
    }
    (reader, written)
}

const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

struct Schemas<'a> {
    random: &'a mut Random,
    names: u32,
}

impl Schemas<'_> {
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        let space = if self.random.next(4) == 0 { "x.y." } else { "" };
        format!("{space}{kind}{}", self.names)
    }

    fn primitive(&mut self) -> Value {
        json!(PRIMITIVES[self.random.next(PRIMITIVES.len() as u64) as usize])
    }

    fn schema(&mut self, depth: u32) -> Value {
        if depth > 3 {
            return self.primitive();
        }
        match self.random.next(12) {
            0 => json!({"type": "array", "items": self.schema(depth + 1)}),
            1 => json!({"type": "map", "values": self.schema(depth + 1)}),
            2 => json!({"type": "fixed", "name": self.name("F"), "size": 1 + self.random.next(3)}),
            3 => {
                let symbols: Vec<&str> = ["A", "B", "C"][..=self.random.next(3) as usize].to_vec();
                let mut one = json!({"type": "enum", "name": self.name("E"), "symbols": symbols});
                if self.random.next(3) == 0 {
                    one["default"] = json!("A");
                }
                one
            }
            4 => self.record(depth + 1),
            5 | 6 => self.union(depth),
            _ => self.primitive(),
        }
    }

    fn union(&mut self, depth: u32) -> Value {
        let mut branches: Vec<Value> = Vec::new();
        for _ in 0..=self.random.next(2) {
            let branch = self.schema(depth + 1);
            if !branch.is_array() && branches.iter().all(|other| kind(other) != kind(&branch)) {
                branches.push(branch);
            }
        }
        Value::Array(branches)
    }

    fn record(&mut self, depth: u32) -> Value {
        let name = self.name("R");
        let mut fields = Vec::new();
        for index in 0..=self.random.next(3) {
            let mut field = json!({"name": format!("f{index}"), "type": self.schema(depth + 1)});
            if self.random.next(6) == 0 {
                field["doc"] = json!("a \"field\"");
            }
            if self.random.next(8) == 0 {
                field["order"] = json!("descending");
            }
            fields.push(field);
        }
        if self.random.next(4) == 0 {
            fields.push(json!({"name": "next", "type": ["null", name], "default": null}));
        }
        let mut record = json!({"type": "record", "name": name, "fields": fields});
        if self.random.next(4) == 0 {
            record["doc"] = json!("what it is");
        }
        record
    }
}

/// What two branches of a union must not share.
fn kind(schema: &Value) -> String {
    let word = schema.as_str().or_else(|| schema["type"].as_str()).unwrap_or("union");
    schema["name"].as_str().unwrap_or(word).to_owned()
}

/// Small changes, as people make them; some are refused.
struct Changes<'a> {
    random: &'a mut Random,
    added: u32,
}

impl Changes<'_> {
    /// Changes `schema`, or something within.
    fn change(&mut self, schema: &mut Value, depth: u32) {
        match schema {
            Value::String(word) => self.primitive(word),
            Value::Array(branches) => self.union(branches, depth),
            Value::Object(attributes) => self.object(attributes, depth),
            _ => {}
        }
    }

    fn primitive(&mut self, word: &mut String) {
        let promoted = match word.as_str() {
            "int" => ["long", "float", "double"].as_slice(),
            "long" => &["float", "double", "int"],
            "float" => &["double", "long"],
            "bytes" => &["string"],
            "string" => &["bytes"],
            known if PRIMITIVES.contains(&known) => &PRIMITIVES,
            // A name stays: what it means is defined elsewhere.
            _ => return,
        };
        promoted[self.random.next(promoted.len() as u64) as usize].clone_into(word);
    }

    fn union(&mut self, branches: &mut Vec<Value>, depth: u32) {
        match self.random.next(4) {
            0 if branches.len() > 1 && branches.iter().all(Value::is_string) => {
                branches.remove(self.random.next(branches.len() as u64) as usize);
            }
            1 => {
                let missing: Vec<&&str> =
                    PRIMITIVES.iter().filter(|word| branches.iter().all(|branch| kind(branch) != **word)).collect();
                if let Some(word) = missing.get(self.random.next(missing.len().max(1) as u64) as usize) {
                    branches.push(json!(word));
                }
            }
            2 => branches.reverse(),
            _ if branches.is_empty() => {}
            _ => {
                let index = self.random.next(branches.len() as u64) as usize;
                if branches[index].is_object() {
                    self.change(&mut branches[index], depth + 1);
                }
            }
        }
    }

    fn object(&mut self, attributes: &mut Map<String, Value>, depth: u32) {
        match attributes["type"].as_str() {
            Some("record") => self.record(attributes, depth),
            Some("array") => self.change(&mut attributes["items"], depth + 1),
            Some("map") => self.change(&mut attributes["values"], depth + 1),
            Some("fixed") => attributes["size"] = json!(self.random.next(4)),
            Some("enum") => {
                let symbols = [json!(["A"]), json!(["A", "B"]), json!(["A", "B", "C"]), json!(["C", "A"])];
                attributes["symbols"] = symbols[self.random.next(4) as usize].clone();
                if self.random.next(2) == 0 {
                    attributes.insert("default".to_owned(), json!("A"));
                }
            }
            _ => {}
        }
    }

    fn record(&mut self, attributes: &mut Map<String, Value>, depth: u32) {
        let full_name = attributes["name"].as_str().unwrap_or_default().to_owned();
        let Some(Value::Array(fields)) = attributes.get_mut("fields") else { return };
        let index = self.random.next(fields.len().max(1) as u64) as usize;
        match self.random.next(9) {
            0 => {
                self.added += 1;
                let mut field = json!({"name": format!("added{}", self.added), "type": "int"});
                if self.random.next(2) == 0 {
                    field["default"] = json!(7);
                }
                fields.insert(index.min(fields.len()), field);
            }
            // What is defined in a field may be used by others.
            1 if fields.len() > 1 && fields[index]["type"].is_string() => drop(fields.remove(index)),
            2 if !fields.is_empty() && depth == 0 => {
                let old = fields[index]["name"].clone();
                self.added += 1;
                fields[index]["name"] = json!(format!("renamed{}", self.added));
                if self.random.next(2) == 0 {
                    fields[index]["aliases"] = json!([old]);
                }
            }
            3 if !full_name.contains('.') && !fields.iter().any(|field| field["name"] == "next") => {
                attributes["name"] = json!(format!("{full_name}Renamed"));
                if self.random.next(2) == 0 {
                    attributes.insert("aliases".to_owned(), json!([full_name]));
                }
            }
            4 if !full_name.contains('.') && !fields.iter().any(|field| field["name"] == "next") => {
                attributes.insert("namespace".to_owned(), json!("elsewhere"));
            }
            5 => fields.reverse(),
            6 if !fields.is_empty() && fields[index]["type"].is_string() => {
                let old = fields[index]["type"].clone();
                if PRIMITIVES[1..].iter().any(|word| old == *word) && fields[index].get("default").is_none() {
                    fields[index]["type"] = json!(["null", old]);
                }
            }
            _ if fields.is_empty() => {}
            _ => {
                let field = &mut fields[index];
                // A default that was right may not be right any more.
                if field.get("default").is_none() {
                    self.change(&mut field["type"], depth + 1);
                }
            }
        }
    }
}
