//! Schemas of Avro with annotations, as sources of values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::pattern;
use super::source::{Affix, Iteration, IterationForm, Length, Node, Pick, Spread, TimeUnit};
use crate::types::SqlType;

/// An annotation, or a part of the schema, that cannot be followed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The field, with those around it.
    pub(super) place: String,
    pub(super) reason: String,
}

/// Where annotations stand in a schema.
const ANNOTATIONS: &str = "arg.properties";
/// How often a value is null that may be, unless `null` says otherwise.
const NULL_ODDS: f64 = 0.5;
/// Letters of a text, bytes, and elements of a list or map, unless `length` says otherwise.
const TEXT_LENGTH: Length = Length { min: 8, max: 17 };
const LIST_LENGTH: Length = Length { min: 1, max: 5 };
/// More elements than that are a mistake.
const LENGTH_MAX: usize = 1 << 20;
/// Types within types.
const DEPTH_MAX: usize = 64;

type Annotations = Map<String, Value>;

/// The source of rows of the schema `text`.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    let schema =
        serde_json::from_str(text).map_err(|error| Fault { place: "schema".to_owned(), reason: error.to_string() })?;
    Reader::default().node(&schema, &Annotations::new())
}

#[derive(Default)]
struct Reader {
    /// Definitions by name, with and without namespace.
    named: BTreeMap<String, Value>,
    /// Names whose definitions are being read.
    open: Vec<String>,
    /// Names of the fields around.
    place: Vec<String>,
    depth: usize,
}

impl Reader {
    fn fault(&self, reason: impl Into<String>) -> Fault {
        let place = if self.place.is_empty() { "schema".to_owned() } else { format!("field {}", self.place.join(".")) };
        Fault { place, reason: reason.into() }
    }

    /// The source of `schema`; `outer` are annotations that stand around it.
    fn node(&mut self, schema: &Value, outer: &Annotations) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fault(format!("types are nested more than {DEPTH_MAX} deep")));
        }
        let node = match schema {
            Value::String(name) => self.by_name(name, outer),
            Value::Array(branches) => self.union(branches, outer),
            Value::Object(object) => {
                let mut annotations = outer.clone();
                match object.get(ANNOTATIONS) {
                    Some(Value::Object(own)) => annotations.extend(own.clone()),
                    Some(_) => return Err(self.fault(format!("{ANNOTATIONS} must be an object"))),
                    None => {}
                }
                self.object(object, &annotations)
            }
            other => Err(self.fault(format!("{other} is no schema"))),
        };
        self.depth -= 1;
        node
    }

    fn by_name(&mut self, name: &str, annotations: &Annotations) -> Result<Node, Fault> {
        match self.named.get(name) {
            // Columns do not hold what leads back to itself.
            Some(_) if self.open.iter().any(|open| open == name) => Ok(Node::Null),
            Some(definition) => {
                let definition = definition.clone();
                self.node(&definition, annotations)
            }
            None => self.scalar(name, &Map::new(), annotations),
        }
    }

    /// With null: a value or none. Several other types are no column of SQL that one could make up.
    fn union(&mut self, branches: &[Value], annotations: &Annotations) -> Result<Node, Fault> {
        let is_null = |branch: &Value| branch == "null" || branch.get("type").is_some_and(|kind| kind == "null");
        let others: Vec<&Value> = branches.iter().filter(|branch| !is_null(branch)).collect();
        match others.as_slice() {
            [] => Ok(Node::Null),
            [_] if branches.len() == 1 => self.node(others[0], annotations),
            [only] => {
                let mut annotations = annotations.clone();
                let odds = annotations.remove("null");
                let odds = odds.map_or(Ok(NULL_ODDS), |odds| self.share("null", &odds))?;
                Ok(Node::Nullable { odds, inner: Box::new(self.node(only, &annotations)?) })
            }
            _ => Err(self.fault("a union may have one type besides null")),
        }
    }

    fn object(&mut self, object: &Map<String, Value>, annotations: &Annotations) -> Result<Node, Fault> {
        let kind = match object.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            Some(inner) => return self.node(inner, annotations),
            None => return Err(self.fault("a schema has no type")),
        };
        let name = object.get("name").and_then(Value::as_str).filter(|_| matches!(kind, "record" | "enum" | "fixed"));
        if let Some(name) = name {
            let definition = Value::Object(object.clone());
            if let Some(namespace) = object.get("namespace").and_then(Value::as_str) {
                self.named.insert(format!("{namespace}.{name}"), definition.clone());
            }
            self.named.insert(name.to_owned(), definition);
        }
        match kind {
            "record" if !annotations.contains_key("options") => self.record(name.unwrap_or_default(), object),
            "array" | "map" if !annotations.contains_key("options") => {
                self.check_names(annotations)?;
                let length = self.length(annotations, LIST_LENGTH)?;
                let part = |name: &str| object.get(name).ok_or_else(|| format!("no {name}"));
                let inner =
                    part(if kind == "array" { "items" } else { "values" }).map_err(|reason| self.fault(reason))?;
                let inner = Box::new(self.node(inner, &Annotations::new())?);
                if kind == "array" {
                    return Ok(Node::Array { items: inner, length });
                }
                let keys = match annotations.get("keys") {
                    Some(Value::Object(keys)) => self.scalar("string", &Map::new(), keys)?,
                    Some(_) => return Err(self.fault("keys must be an object of annotations")),
                    None => self.scalar("string", &Map::new(), &Annotations::new())?,
                };
                Ok(Node::Map { keys: Box::new(keys), values: inner, length })
            }
            "record" | "array" | "map" | "enum" | "fixed" => self.scalar(kind, object, annotations),
            kind if self.named.contains_key(kind) => self.by_name(kind, annotations),
            kind => self.scalar(kind, object, annotations),
        }
    }

    fn record(&mut self, name: &str, object: &Map<String, Value>) -> Result<Node, Fault> {
        let Some(Value::Array(declared)) = object.get("fields") else {
            return Err(self.fault("a record has no fields"));
        };
        self.open.push(name.to_owned());
        let mut fields = Vec::with_capacity(declared.len());
        for field in declared {
            let (Some(name), Some(schema)) = (field.get("name").and_then(Value::as_str), field.get("type")) else {
                return Err(self.fault("a field has no name or no type"));
            };
            self.place.push(name.to_owned());
            let annotations = match field.get(ANNOTATIONS) {
                Some(Value::Object(annotations)) => annotations.clone(),
                _ => Annotations::new(),
            };
            fields.push((Value::from(name).to_string(), self.node(schema, &annotations)?));
            self.place.pop();
        }
        self.open.pop();
        Ok(Node::Record(fields))
    }

    /// Everything that is not made of others, and what is chosen as a whole.
    fn scalar(&self, kind: &str, object: &Map<String, Value>, annotations: &Annotations) -> Result<Node, Fault> {
        self.check_names(annotations)?;
        if let Some(options) = annotations.get("options") {
            return self.options(options, annotations);
        }
        if let Some(iteration) = annotations.get("iteration") {
            return self.iteration(kind, iteration, annotations);
        }
        let logical = object.get("logicalType").and_then(Value::as_str);
        let has_range = annotations.contains_key("range");
        Ok(match (kind, logical) {
            ("null", _) => Node::Null,
            ("boolean", _) => {
                let odds = annotations.get("odds");
                Node::Boolean { odds: odds.map_or(Ok(0.5), |odds| self.share("odds", odds))? }
            }
            ("bytes" | "fixed", Some("decimal")) => self.decimal(object)?,
            ("string", Some("uuid")) => Node::Uuid,
            ("int", Some("date")) if !has_range => Node::Time(TimeUnit::Days),
            ("int", Some("time-millis")) if !has_range => Node::Time(TimeUnit::MillisOfDay),
            ("long", Some("timestamp-millis")) if !has_range => Node::Time(TimeUnit::Millis),
            ("int", _) => self.whole(annotations, i64::from(i32::MIN), i64::from(i32::MAX))?,
            ("long", _) => self.whole(annotations, i64::MIN, i64::MAX)?,
            ("float" | "double", _) => {
                let [min, max] = self.range(annotations)?;
                let (min, max) = (min.unwrap_or(0.0), max.unwrap_or(1.0));
                if min >= max {
                    return Err(self.fault("the range's min must be below its max"));
                }
                Node::Number { min, max, spread: self.spread(annotations)? }
            }
            ("string", _) => {
                let affix = self.affix(annotations)?;
                match annotations.get("regex") {
                    Some(Value::String(text)) => {
                        let pattern = pattern::parse(text).map_err(|reason| self.fault(reason))?;
                        Node::Pattern { affix, pattern: Box::new(pattern) }
                    }
                    Some(_) => return Err(self.fault("regex must be a text")),
                    None => Node::Text { affix, length: self.length(annotations, TEXT_LENGTH)? },
                }
            }
            ("bytes", _) => Node::Bytes { length: self.length(annotations, TEXT_LENGTH)? },
            ("fixed", _) => {
                let size = object.get("size").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
                let size = size.filter(|size| *size <= LENGTH_MAX).ok_or_else(|| self.fault("a fixed has no size"))?;
                Node::Bytes { length: Length::exactly(size) }
            }
            ("enum", _) => {
                let symbols = object.get("symbols").ok_or_else(|| self.fault("an enum has no symbols"))?;
                self.options(symbols, annotations)?
            }
            (other, _) => return Err(self.fault(format!("the type {other} is not known"))),
        })
    }

    fn options(&self, options: &Value, annotations: &Annotations) -> Result<Node, Fault> {
        let Some(options) = options.as_array().filter(|options| !options.is_empty()) else {
            return Err(self.fault("options must be a list of values"));
        };
        let texts: Vec<String> = options.iter().map(Value::to_string).collect();
        let pick = match annotations.get("weights") {
            None => Pick::Spread(self.spread(annotations)?),
            Some(weights) => {
                let weights: Option<Vec<f64>> =
                    weights.as_array().and_then(|weights| weights.iter().map(Value::as_f64).collect());
                let weights = weights.filter(|weights| {
                    weights.len() == texts.len()
                        && weights.iter().all(|weight| *weight >= 0.0)
                        && weights.iter().sum::<f64>() > 0.0
                });
                let weights = weights.ok_or_else(|| self.fault("weights must be numbers, one for each option"))?;
                let sum = |sum: &mut f64, weight: f64| {
                    *sum += weight;
                    Some(*sum)
                };
                Pick::Weights(weights.into_iter().scan(0.0, sum).collect())
            }
        };
        Ok(Node::Options { texts, pick })
    }

    fn iteration(&self, kind: &str, iteration: &Value, annotations: &Annotations) -> Result<Node, Fault> {
        let form = match kind {
            "int" | "long" => IterationForm::Whole,
            "float" | "double" => IterationForm::Number,
            "string" => IterationForm::Text(self.affix(annotations)?),
            "boolean" => IterationForm::Boolean,
            other => return Err(self.fault(format!("{other} has no iteration"))),
        };
        let part = |name: &str| match iteration.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(f64::from(u8::from(*value)))),
            Some(value) => {
                value.as_f64().map(Some).ok_or_else(|| self.fault(format!("the iteration's {name} must be a number")))
            }
        };
        let start = part("start")?.ok_or_else(|| self.fault("an iteration has no start"))?;
        let restart = part("restart")?;
        let downward = restart.is_some_and(|restart| restart < start);
        let step = part("step")?.unwrap_or(if downward { -1.0 } else { 1.0 });
        if step == 0.0 || restart.is_some_and(|restart| (restart > start) != (step > 0.0)) {
            return Err(self.fault("the iteration's step must lead from start to restart"));
        }
        let edge = match kind {
            "int" => f64::from(i32::MAX),
            // Whole numbers beyond are not all there.
            _ => 9_007_199_254_740_992.0,
        };
        let restart = restart.unwrap_or(if step > 0.0 { edge } else { -edge });
        let next = part("initial")?.unwrap_or(start);
        Ok(Node::Iteration(Iteration { next, start, step, restart, form }))
    }

    fn whole(&self, annotations: &Annotations, min: i64, max: i64) -> Result<Node, Fault> {
        let part = |name: &str, otherwise: i64| match annotations.get("range").and_then(|range| range.get(name)) {
            None => Ok(otherwise),
            Some(value) => {
                let number = value.as_i64().filter(|number| (min..=max).contains(number));
                number
                    .ok_or_else(|| self.fault(format!("the range's {name} must be a whole number from {min} to {max}")))
            }
        };
        let (min, max) = (part("min", min)?, part("max", max)?);
        if min >= max {
            return Err(self.fault("the range's min must be below its max"));
        }
        Ok(Node::Whole { min, max, spread: self.spread(annotations)? })
    }

    fn range(&self, annotations: &Annotations) -> Result<[Option<f64>; 2], Fault> {
        let part = |name: &str| match annotations.get("range").and_then(|range| range.get(name)) {
            None => Ok(None),
            Some(value) => {
                value.as_f64().map(Some).ok_or_else(|| self.fault(format!("the range's {name} must be a number")))
            }
        };
        Ok([part("min")?, part("max")?])
    }

    fn decimal(&self, object: &Map<String, Value>) -> Result<Node, Fault> {
        let part = |name: &str| object.get(name).and_then(Value::as_u64).and_then(|part| u32::try_from(part).ok());
        let (digits, scale) = (part("precision").unwrap_or(1), part("scale").unwrap_or(0));
        let most = SqlType::DECIMAL_DIGITS_MAX;
        if scale > digits || digits > u32::from(most) {
            let reason =
                format!("a decimal has at most {most} digits, of which no more than all stand behind the point");
            return Err(self.fault(reason));
        }
        Ok(Node::Decimal { digits, scale })
    }

    fn length(&self, annotations: &Annotations, otherwise: Length) -> Result<Length, Fault> {
        let number = |value: &Value| {
            value.as_u64().and_then(|number| usize::try_from(number).ok()).filter(|number| *number <= LENGTH_MAX)
        };
        let length = match annotations.get("length") {
            None => Some(otherwise),
            Some(Value::Object(range)) => {
                let part = |name: &str, otherwise: usize| range.get(name).map_or(Some(otherwise), number);
                part("min", 0).zip(part("max", LENGTH_MAX)).map(|(min, max)| Length { min, max })
            }
            Some(value) => number(value).map(Length::exactly),
        };
        let length = length.filter(|length| length.min < length.max);
        length.ok_or_else(|| {
            self.fault(format!("length must be a number, or min and a greater max, of at most {LENGTH_MAX}"))
        })
    }

    fn affix(&self, annotations: &Annotations) -> Result<Affix, Fault> {
        let part = |name: &str| match annotations.get(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(self.fault(format!("{name} must be a text"))),
        };
        Ok(Affix { prefix: part("prefix")?, suffix: part("suffix")? })
    }

    fn spread(&self, annotations: &Annotations) -> Result<Spread, Fault> {
        let Some(name) = annotations.get("distribution") else { return Ok(Spread::default()) };
        let spread = name.as_str().and_then(Spread::named);
        spread.ok_or_else(|| self.fault("distribution must be uniform, normal, exponential or zipf"))
    }

    fn share(&self, name: &str, value: &Value) -> Result<f64, Fault> {
        let share = value.as_f64().filter(|share| (0.0..=1.0).contains(share));
        share.ok_or_else(|| self.fault(format!("{name} must be a number from 0 to 1")))
    }

    /// An annotation that nobody follows is a mistake in its name.
    fn check_names(&self, annotations: &Annotations) -> Result<(), Fault> {
        const KNOWN: [&str; 12] = [
            "options",
            "weights",
            "distribution",
            "iteration",
            "range",
            "regex",
            "length",
            "prefix",
            "suffix",
            "odds",
            "null",
            "keys",
        ];
        let unknown = annotations.keys().find(|name| !KNOWN.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| {
            Err(self.fault(format!("the annotation {name} is not known; there are {}", KNOWN.join(", "))))
        })
    }
}
