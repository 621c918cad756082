//! Signatures as text: `(text STRING, more STRING...) -> STRING`.
//!
//! ```text
//! signature = [type {" " type} ":"] "(" [parameter {"," parameter}] ")" "->" type
//! parameter = ["LITERAL"] name type ["..."]
//! type      = BOOLEAN | INT | BIGINT | DOUBLE | DECIMAL ["(" p "," s ")"] | STRING | BYTES | DATE | TIME | TIMESTAMP
//!           | ARRAY "<" type ">" | MAP "<" type "," type ">" | STRUCT "<" name type {"," name type} ">"
//!           | LAMBDA "<" type {"," type} ">"          -- the last one is what it gives
//!           | ANY | UNIT | letter                     -- a letter is a generic
//! ```
//!
//! Types before a colon make one signature of each: they stand for `%` in the rest.

use super::function::{Parameter, Returns, Variation};
use super::param_type::ParamType;
use crate::types::SqlType;

/// A signature that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the signature '{text}' from '{rest}' on")]
pub struct SignatureError {
    /// The signature.
    pub text: String,
    /// What could not be read of it.
    pub rest: String,
}

/// The variations that `text` stands for.
pub fn variations(text: &str) -> Result<Vec<Variation>, SignatureError> {
    match text.split_once(':') {
        Some((types, template)) => {
            types.split_whitespace().map(|name| variation(&template.replace('%', name))).collect()
        }
        None => Ok(vec![variation(text)?]),
    }
}

/// The type that `text` names.
pub fn param_type(text: &str) -> Result<ParamType, SignatureError> {
    let mut reader = Reader { rest: text };
    match reader.param_type() {
        Some(found) if reader.is_at_end() => Ok(found),
        _ => Err(SignatureError { text: text.to_owned(), rest: reader.rest.to_owned() }),
    }
}

/// The signature of `variation`, which was read from one, as text that is read alike.
pub fn text(variation: &Variation) -> String {
    let parameter = |(index, parameter): (usize, &Parameter)| {
        let literal = if parameter.is_literal { "LITERAL " } else { "" };
        let dots = if variation.variadic == Some(index) { "..." } else { "" };
        format!("{literal}{} {}{dots}", parameter.name, type_text(&parameter.param_type))
    };
    let parameters: Vec<String> = variation.parameters.iter().enumerate().map(parameter).collect();
    format!("({}) -> {}", parameters.join(", "), type_text(variation.returns.shown()))
}

/// `param_type` as text that [`param_type`](param_type()) reads.
pub fn type_text(param_type: &ParamType) -> String {
    match param_type {
        ParamType::Sql(SqlType::Integer) => "INT".to_owned(),
        ParamType::Sql(other) => other.to_string(),
        ParamType::Decimal => "DECIMAL".to_owned(),
        ParamType::Array(element) => format!("ARRAY<{}>", type_text(element)),
        ParamType::Map(key, value) => format!("MAP<{}, {}>", type_text(key), type_text(value)),
        ParamType::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, field)| format!("{name} {}", type_text(field))).collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
        ParamType::Generic(letter) => letter.to_string(),
        ParamType::Any => "ANY".to_owned(),
        ParamType::IntervalUnit => "UNIT".to_owned(),
        ParamType::Lambda { inputs, output } => {
            let types: Vec<String> = inputs.iter().chain([&**output]).map(type_text).collect();
            format!("LAMBDA<{}>", types.join(", "))
        }
    }
}

fn variation(text: &str) -> Result<Variation, SignatureError> {
    let mut reader = Reader { rest: text };
    match reader.variation() {
        Some(found) if reader.is_at_end() => Ok(found),
        _ => Err(SignatureError { text: text.to_owned(), rest: reader.rest.to_owned() }),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn is_at_end(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.is_empty()
    }

    fn accept(&mut self, symbol: &str) -> bool {
        self.rest = self.rest.trim_start();
        let found = self.rest.strip_prefix(symbol);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn expect(&mut self, symbol: &str) -> Option<()> {
        self.accept(symbol).then_some(())
    }

    fn word(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    fn variation(&mut self) -> Option<Variation> {
        self.expect("(")?;
        let mut parameters = Vec::new();
        let mut variadic = None;
        while !self.accept(")") {
            if !parameters.is_empty() {
                self.expect(",")?;
            }
            let is_literal = self.accept("LITERAL ");
            let (name, param_type) = (self.word()?, self.param_type()?);
            if self.accept("...") {
                variadic = Some(parameters.len());
            }
            parameters.push(Parameter { name, param_type, is_literal, description: String::new() });
        }
        self.expect("->")?;
        let returns = Returns::Type(self.param_type()?);
        Some(Variation {
            parameters,
            variadic,
            returns,
            scalar: None,
            lambda: None,
            aggregate: None,
            table: None,
            intermediate: None,
            has_undo: false,
        })
    }

    fn param_type(&mut self) -> Option<ParamType> {
        let word = self.word()?;
        Some(match word.as_str() {
            "BOOLEAN" => ParamType::Sql(SqlType::Boolean),
            "INT" => ParamType::Sql(SqlType::Integer),
            "BIGINT" => ParamType::Sql(SqlType::Bigint),
            "DOUBLE" => ParamType::Sql(SqlType::Double),
            "STRING" => ParamType::Sql(SqlType::String),
            "BYTES" => ParamType::Sql(SqlType::Bytes),
            "DATE" => ParamType::Sql(SqlType::Date),
            "TIME" => ParamType::Sql(SqlType::Time),
            "TIMESTAMP" => ParamType::Sql(SqlType::Timestamp),
            "DECIMAL" if self.accept("(") => self.decimal()?,
            "DECIMAL" => ParamType::Decimal,
            "ARRAY" => ParamType::Array(Box::new(self.single()?)),
            "MAP" => {
                let [key, value] = self.list()?.try_into().ok()?;
                ParamType::Map(Box::new(key), Box::new(value))
            }
            "STRUCT" => ParamType::Struct(self.fields()?),
            "LAMBDA" => {
                let mut inputs = self.list()?;
                let output = Box::new(inputs.pop()?);
                ParamType::Lambda { inputs, output }
            }
            "ANY" => ParamType::Any,
            "UNIT" => ParamType::IntervalUnit,
            letter if letter.len() == 1 => ParamType::Generic(letter.chars().next()?),
            _ => return None,
        })
    }

    fn decimal(&mut self) -> Option<ParamType> {
        let precision = self.word()?.parse().ok()?;
        self.expect(",")?;
        let scale = self.word()?.parse().ok()?;
        self.expect(")")?;
        Some(ParamType::Sql(SqlType::Decimal { precision, scale }))
    }

    fn single(&mut self) -> Option<ParamType> {
        let [element] = self.list()?.try_into().ok()?;
        Some(element)
    }

    fn list(&mut self) -> Option<Vec<ParamType>> {
        self.expect("<")?;
        let mut types = vec![self.param_type()?];
        while self.accept(",") {
            types.push(self.param_type()?);
        }
        self.expect(">")?;
        Some(types)
    }

    fn fields(&mut self) -> Option<Vec<(String, ParamType)>> {
        self.expect("<")?;
        let mut fields = vec![(self.word()?, self.param_type()?)];
        while self.accept(",") {
            fields.push((self.word()?, self.param_type()?));
        }
        self.expect(">")?;
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Function;
    use super::*;

    #[test]
    fn signatures_are_read_as_they_are_shown() {
        let cases = [
            ("(text STRING, pos INT) -> STRING", "f(text VARCHAR, pos INT)", "VARCHAR"),
            ("() -> DOUBLE", "f()", "DOUBLE"),
            ("(first T, more T...) -> T", "f(first T, more T...)", "T"),
            ("(x MAP<STRING, ARRAY<T>>) -> STRUCT<A INT, B T>", "f(x MAP<VARCHAR, ARRAY<T>>)", "STRUCT<A INT, B T>"),
            ("(a ARRAY<T>, f LAMBDA<T, R>) -> ARRAY<R>", "f(a ARRAY<T>, f LAMBDA (T) => R)", "ARRAY<R>"),
            ("(n DECIMAL, LITERAL k INT) -> DECIMAL(30, 10)", "f(n DECIMAL, k INT)", "DECIMAL(30, 10)"),
        ];
        for (text, call, returns) in cases {
            let read = variations(text).expect(text);
            assert_eq!(Function::call_text("f", &read[0]), call, "{text}");
            assert_eq!(read[0].returns.shown().to_string(), returns, "{text}");
        }
    }

    #[test]
    fn what_is_read_can_be_written_again() {
        for text in [
            "(n DECIMAL, LITERAL k INT) -> DECIMAL(30, 10)",
            "(first T, more T...) -> MAP<STRING, ARRAY<T>>",
            "(unit UNIT, f LAMBDA<T, R>, any ANY) -> STRUCT<A INT, B TIMESTAMP>",
            "() -> BYTES",
        ] {
            let read = variations(text).expect(text).remove(0);
            assert_eq!(super::text(&read), text);
        }
    }

    #[test]
    fn a_list_of_types_makes_a_signature_of_each() {
        let read = variations("INT BIGINT: (value %) -> ARRAY<%>").expect("a good text");
        let shown: Vec<String> = read.iter().map(|one| one.returns.shown().to_string()).collect();
        assert_eq!(shown, ["ARRAY<INT>", "ARRAY<BIGINT>"]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, rest) in [("(a NUMBER) -> INT", ") -> INT"), ("(a INT) INT", "INT"), ("(a INT) -> INT x", "x")] {
            assert_eq!(variations(text).expect_err(text).rest, rest, "{text}");
        }
    }
}
