//! From Java's syntax of regular expressions to that of `fancy_regex`.
//!
//! Nothing is passed on as it is written: literals, classes and flags are spelt out, so that no syntax of one is taken for
//! another of the other. Flags never reach the engine, but for what stands right inside their group.

use std::fmt::Write as _;

/// Classes within classes.
const DEPTH_MAX: usize = 50;

const LINE_ENDS: &str = r"\n\r\x{85}\x{2028}\x{2029}";
const HORIZONTAL: &str = r"\x{20}\t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
const VERTICAL: &str = r"\n\x{B}\x{C}\r\x{85}\x{2028}\x{2029}";
const SPACE: &str = r"\x{20}\t\n\x{B}\x{C}\r";
const WORD: &str = "0-9A-Z_a-z";
/// What `\\b` takes for parts of words, up to Java 18: letters and digits of any script, with the marks on them.
const BOUNDED: &str = r"\p{L}\p{Nd}\p{Mn}_";

/// A pattern in the syntax of `fancy_regex`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translation {
    pub(super) text: String,
    pub(super) conditions: Conditions,
    pub(super) groups: usize,
    pub(super) names: Vec<(String, usize)>,
}

/// What a text must be like for a translation to be right for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    /// Only characters of ASCII.
    ascii: bool,
    /// No line terminator at the end.
    open_end: bool,
    /// Lines end with `\n` only, the last one without; there is one.
    plain_lines: bool,
}

impl Conditions {
    #[inline]
    pub(super) fn hold(self, text: &str) -> bool {
        let ends_line = || text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
        (!self.ascii || text.is_ascii())
            && (!self.open_end || !ends_line())
            && (!self.plain_lines || !text.is_empty() && text.is_ascii() && !text.contains('\r') && !ends_line())
    }
}

/// `pattern` for texts of any kind if `exact`, else for those that the conditions say.
pub(super) fn translate(pattern: &str, exact: bool) -> Result<Translation, String> {
    let mut translator = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        exact,
        flags: Flags::default(),
        out: String::new(),
        groups: 0,
        open_groups: Vec::new(),
        names: Vec::new(),
        conditions: Conditions::default(),
    };
    let translated = translator.pattern();
    translated.map_err(|reason| format!("'{pattern}' is no pattern: {reason} near index {}", translator.at))?;
    let Translator { out: text, conditions, groups, names, .. } = translator;
    Ok(Translation { text, conditions, groups, names })
}

/// Flags by their letters.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools)] // they are Java's
struct Flags {
    ignores_case: bool,
    unix_lines: bool,
    multiline: bool,
    dot_all: bool,
    unicode_case: bool,
    comments: bool,
    unicode_classes: bool,
}

impl Flags {
    fn set(&mut self, letter: char, value: bool) -> Result<(), String> {
        match letter {
            'i' => self.ignores_case = value,
            'd' => self.unix_lines = value,
            'm' => self.multiline = value,
            's' => self.dot_all = value,
            'u' => self.unicode_case = value,
            'x' => self.comments = value,
            'U' => (self.unicode_classes, self.unicode_case) = (value, value),
            other => return Err(format!("unknown flag '{other}'")),
        }
        Ok(())
    }
}

/// A group that is open.
struct Open {
    start: usize,
    flags: Flags,
    /// Groups that were open before it.
    around: usize,
}

/// What a backslash begins.
enum Escaped {
    Char(char),
    /// A class, in brackets.
    Class(String),
    /// What follows up to `\E` is literal.
    Quote,
    /// Something that only stands outside of classes.
    Other(char),
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    exact: bool,
    flags: Flags,
    out: String,
    groups: usize,
    /// Those of them that are open.
    open_groups: Vec<usize>,
    names: Vec<(String, usize)>,
    conditions: Conditions,
}

impl Translator {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        self.at += usize::from(found);
        found
    }

    fn pattern(&mut self) -> Result<(), String> {
        let mut open: Vec<Open> = Vec::new();
        // Where what a quantifier would repeat begins.
        let mut atom = None;
        loop {
            self.skip_comments();
            let start = self.out.len();
            let Some(char) = self.next() else { break };
            match char {
                '(' => {
                    let (flags, groups, around) = (self.flags, self.groups, self.open_groups.len());
                    if self.group()? {
                        open.push(Open { start, flags, around });
                    }
                    if self.groups > groups {
                        self.open_groups.push(self.groups);
                    }
                    atom = None;
                    continue;
                }
                ')' => {
                    let group = open.pop().ok_or("unmatched ')'")?;
                    self.out.push(')');
                    self.flags = group.flags;
                    self.open_groups.truncate(group.around);
                    atom = Some(group.start);
                    continue;
                }
                '|' => {
                    self.out.push('|');
                    atom = None;
                    continue;
                }
                '{' if atom.is_none() => {
                    // Java repeats the nothing that stands before it.
                    self.out.push_str("(?:)");
                    self.quantifier(char, start)?;
                    self.skip_ignored_quantifiers()?;
                    continue;
                }
                '*' | '+' | '?' | '{' => {
                    let repeated = atom.take().ok_or_else(|| format!("dangling '{char}'"))?;
                    self.quantifier(char, repeated)?;
                    self.skip_ignored_quantifiers()?;
                    continue;
                }
                '\\' => {
                    atom = Some(self.escape()?);
                    continue;
                }
                '[' => {
                    let class = self.class(0)?;
                    self.push_class(&class);
                }
                '.' => self.push_dot(),
                '^' => self.push_line_start(),
                '$' => self.push_line_end(self.flags.multiline),
                literal => self.push_literal(literal),
            }
            atom = Some(start);
        }
        if open.is_empty() { Ok(()) } else { Err("unclosed group".to_owned()) }
    }

    fn skip_comments(&mut self) {
        while self.flags.comments {
            match self.peek() {
                Some(' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r') => self.at += 1,
                Some('#') => {
                    while self.next().is_some_and(|c| !matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')) {}
                }
                _ => break,
            }
        }
    }

    /// Reads what follows `(`; false if that were flags for the rest of the group around it.
    fn group(&mut self) -> Result<bool, String> {
        if !self.eat('?') {
            self.groups += 1;
            self.out.push('(');
            return Ok(true);
        }
        let rest: String = self.chars[self.at..].iter().take(2).collect();
        for (java, opened) in [("<=", "(?<="), ("<!", "(?<!"), (":", "(?:"), ("=", "(?="), ("!", "(?!"), (">", "(?>")] {
            if rest.starts_with(java) {
                self.at += java.len();
                self.out.push_str(opened);
                return Ok(true);
            }
        }
        if self.eat('<') {
            let name = self.name()?;
            if self.names.iter().any(|(known, _)| *known == name) {
                return Err(format!("two groups are called '{name}'"));
            }
            self.groups += 1;
            self.names.push((name, self.groups));
            self.out.push('(');
            return Ok(true);
        }
        let mut value = true;
        loop {
            match self.next().ok_or("unclosed group")? {
                '-' if value => value = false,
                ')' => return Ok(false),
                ':' => {
                    self.out.push_str("(?:");
                    return Ok(true);
                }
                letter => self.flags.set(letter, value)?,
            }
        }
    }

    /// The name of a group, and the `>` behind it.
    fn name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        loop {
            match self.next() {
                Some('>') if !name.is_empty() => return Ok(name),
                Some(c) if c.is_ascii_alphabetic() || c.is_ascii_digit() && !name.is_empty() => name.push(c),
                _ => return Err("names of groups are letters and digits, then '>'".to_owned()),
            }
        }
    }

    /// Writes the quantifier that begins with `first`, for what has been written from `start` on.
    fn quantifier(&mut self, first: char, start: usize) -> Result<(), String> {
        let range = if first == '{' { self.range()? } else { first.to_string() };
        self.skip_comments();
        if begins_empty(&self.out[start..]) {
            // The engine repeats nothing that is never more than a place; beside what matches nothing it is not that.
            self.out.insert_str(start, "(?:");
            self.out.push_str(r"|[^\s\S])");
        }
        if self.eat('+') {
            self.out.insert_str(start, "(?>");
            self.out.push_str(&range);
            self.out.push(')');
        } else {
            self.out.push_str(&range);
            if self.eat('?') {
                self.out.push('?');
            }
        }
        Ok(())
    }

    /// `{2}{3}` is `{2}`: the second one repeats nothing.
    fn skip_ignored_quantifiers(&mut self) -> Result<(), String> {
        while self.eat('{') {
            self.range()?;
            let _ = self.eat('+') || self.eat('?');
        }
        Ok(())
    }

    /// Reads `2}`, `2,}` or `2,3}`.
    fn range(&mut self) -> Result<String, String> {
        let least = self.count().ok_or("illegal repetition")?;
        let mut range = format!("{{{least}");
        if self.eat(',') {
            range.push(',');
            if let Some(most) = self.count() {
                if most < least {
                    return Err("illegal repetition range".to_owned());
                }
                let _ = write!(range, "{most}");
            }
        }
        range.push('}');
        if self.eat('}') { Ok(range) } else { Err("unclosed counted closure".to_owned()) }
    }

    fn count(&mut self) -> Option<u32> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect::<String>().parse().ok()
    }

    fn push_literal(&mut self, literal: char) {
        let other = other_case(literal).filter(|_| self.flags.ignores_case);
        match other {
            _ if self.flags.ignores_case && self.flags.unicode_case => {
                self.out.push_str("(?i:");
                push_char(&mut self.out, literal);
                self.out.push(')');
            }
            Some(other) => {
                let _ = write!(self.out, "[{literal}{other}]");
            }
            None => push_char(&mut self.out, literal),
        }
    }

    fn push_class(&mut self, class: &str) {
        if self.flags.ignores_case && self.flags.unicode_case {
            let _ = write!(self.out, "(?i:{class})");
        } else {
            self.out.push_str(class);
        }
    }

    fn push_dot(&mut self) {
        if self.flags.dot_all {
            self.out.push_str("(?s:.)");
        } else {
            let ends = if self.flags.unix_lines { r"\n" } else { LINE_ENDS };
            let _ = write!(self.out, "[^{ends}]");
        }
    }

    /// `^`
    fn push_line_start(&mut self) {
        if !self.flags.multiline {
            self.out.push_str(r"\A");
        } else if !self.exact {
            self.conditions.plain_lines = true;
            self.out.push_str("(?m:^)");
        } else if self.flags.unix_lines {
            self.out.push_str(r"(?:(?!\z)(?:\A|(?<=\n)))");
        } else {
            self.out.push_str(r"(?:(?!\z)(?:\A|(?<=[\n\x{85}\x{2028}\x{2029}])|(?<=\r)(?!\n)))");
        }
    }

    /// `$`, or `\Z` if not `multiline`.
    fn push_line_end(&mut self, multiline: bool) {
        let unix = self.flags.unix_lines;
        let text = match (self.exact, multiline) {
            (false, true) => {
                self.conditions.plain_lines = true;
                "(?m:$)"
            }
            (false, false) => {
                self.conditions.open_end = true;
                r"\z"
            }
            (true, true) if unix => r"(?:\z|(?=\n))",
            (true, true) => r"(?:\z|(?=[\r\x{85}\x{2028}\x{2029}])|(?<!\r)(?=\n))",
            (true, false) if unix => r"(?:(?=\n?\z))",
            (true, false) => r"(?:\z|(?=\r\n\z)|(?=[\r\x{85}\x{2028}\x{2029}]\z)|(?<!\r)(?=\n\z))",
        };
        self.out.push_str(text);
    }

    /// `\b`, or `\B` if `negated`.
    fn push_word_boundary(&mut self, negated: bool) {
        if self.flags.unicode_classes || !self.exact {
            self.conditions.ascii |= !self.flags.unicode_classes;
            self.out.push_str(if negated { r"\B" } else { r"\b" });
            return;
        }
        let (inner, outer) = if negated { ("=", "!") } else { ("!", "=") };
        let _ = write!(self.out, "(?:(?<=[{BOUNDED}])(?{inner}[{BOUNDED}])|(?<![{BOUNDED}])(?{outer}[{BOUNDED}]))");
    }

    /// Writes what the backslash just read begins. Returns where what a quantifier would repeat begins: of a quotation that is
    /// its last character.
    fn escape(&mut self) -> Result<usize, String> {
        let mut start = self.out.len();
        match self.escaped()? {
            Escaped::Char(literal) => self.push_literal(literal),
            Escaped::Class(class) => self.push_class(&class),
            Escaped::Quote => {
                while let Some(literal) = self.next_quoted() {
                    start = self.out.len();
                    self.push_literal(literal);
                }
            }
            Escaped::Other(letter) => self.assertion(letter)?,
        }
        Ok(start)
    }

    fn assertion(&mut self, letter: char) -> Result<(), String> {
        match letter {
            'A' => self.out.push_str(r"\A"),
            'z' => self.out.push_str(r"\z"),
            'Z' => self.push_line_end(false),
            'G' => self.out.push_str(r"\G"),
            'b' | 'B' if self.peek() != Some('{') => self.push_word_boundary(letter == 'B'),
            'R' => {
                let _ = write!(self.out, r"(?:\r\n|[{VERTICAL}])");
            }
            'k' => {
                let known = if self.eat('<') { self.name()? } else { String::new() };
                let group = self.names.iter().find(|(name, _)| *name == known).map(|(_, group)| *group);
                self.push_reference(group.ok_or_else(|| format!("no group is called '{known}'"))?)?;
            }
            '1'..='9' => {
                let mut group = letter as usize - '0' as usize;
                while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer > self.groups {
                        break;
                    }
                    group = longer;
                    self.at += 1;
                }
                self.push_reference(group)?;
            }
            other => return Err(format!("illegal or unsupported escape '\\{other}'")),
        }
        Ok(())
    }

    /// A group that is not there yet never matches.
    ///
    /// # Errors
    /// The group is not closed yet: the engine cannot do with that.
    fn push_reference(&mut self, group: usize) -> Result<(), String> {
        if self.open_groups.contains(&group) {
            return Err(format!("group {group} refers to itself"));
        }
        let flags = if self.flags.ignores_case { "i" } else { "" };
        if group <= self.groups {
            let _ = write!(self.out, r"(?{flags}:\{group})");
        } else {
            self.out.push_str("(?:(?!))");
        }
        Ok(())
    }

    /// The next character of a quotation; steps over its end.
    fn next_quoted(&mut self) -> Option<char> {
        if self.chars[self.at..].starts_with(&['\\', 'E']) {
            self.at += 2;
            return None;
        }
        self.next()
    }

    /// Reads what follows a backslash.
    fn escaped(&mut self) -> Result<Escaped, String> {
        let letter = self.next().ok_or("unexpected end after '\\'")?;
        let (unicode, negated) = (self.flags.unicode_classes, letter.is_ascii_uppercase());
        Ok(match letter {
            't' => Escaped::Char('\t'),
            'n' => Escaped::Char('\n'),
            'r' => Escaped::Char('\r'),
            'f' => Escaped::Char('\u{c}'),
            'a' => Escaped::Char('\u{7}'),
            'e' => Escaped::Char('\u{1b}'),
            'c' => {
                let control = self.next().ok_or("illegal control escape sequence")?;
                Escaped::Char(char::from_u32(control as u32 ^ 64).ok_or("illegal control escape sequence")?)
            }
            '0' => Escaped::Char(self.octal()?),
            'x' => Escaped::Char(self.hexadecimal()?),
            'u' => Escaped::Char(self.utf16()?),
            'd' | 'D' => Escaped::Class(bracketed(negated, if unicode { r"\p{Nd}" } else { "0-9" })),
            'w' | 'W' if unicode => {
                Escaped::Class(bracketed(negated, r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}"))
            }
            'w' | 'W' => Escaped::Class(bracketed(negated, WORD)),
            's' | 'S' => Escaped::Class(bracketed(negated, if unicode { r"\p{White_Space}" } else { SPACE })),
            'h' | 'H' => Escaped::Class(bracketed(negated, HORIZONTAL)),
            'v' | 'V' => Escaped::Class(bracketed(negated, VERTICAL)),
            'p' | 'P' => Escaped::Class(self.property(negated)?),
            'Q' => Escaped::Quote,
            other if other.is_ascii_alphanumeric() => Escaped::Other(other),
            other => Escaped::Char(other),
        })
    }

    /// `\0n`, `\0nn` or `\0mnn`
    fn octal(&mut self) -> Result<char, String> {
        let mut value = 0;
        let mut digits = 0;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) {
            if digits == 3 || value * 8 + digit > 0o377 {
                break;
            }
            value = value * 8 + digit;
            digits += 1;
            self.at += 1;
        }
        char::from_u32(value).filter(|_| digits > 0).ok_or_else(|| "illegal octal escape sequence".to_owned())
    }

    /// `\xhh` or `\x{h…h}`
    fn hexadecimal(&mut self) -> Result<char, String> {
        let code = if self.eat('{') {
            let end =
                self.chars[self.at..].iter().position(|c| *c == '}').ok_or("unclosed hexadecimal escape sequence")?;
            let code = self.hex_digits(end);
            self.at += 1;
            code
        } else {
            self.hex_digits(2)
        };
        code.and_then(char::from_u32).ok_or_else(|| "illegal hexadecimal escape sequence".to_owned())
    }

    /// `\uhhhh`, or two of them that make a character.
    fn utf16(&mut self) -> Result<char, String> {
        let mut units = vec![self.hex_digits(4).ok_or("illegal Unicode escape sequence")? as u16];
        if (0xD800..0xDC00).contains(&units[0]) && self.chars[self.at..].starts_with(&['\\', 'u']) {
            self.at += 2;
            units.push(self.hex_digits(4).ok_or("illegal Unicode escape sequence")? as u16);
        }
        let mut read = char::decode_utf16(units);
        match (read.next(), read.next()) {
            (Some(Ok(char)), None) => Ok(char),
            _ => Err("half of a surrogate pair".to_owned()),
        }
    }

    fn hex_digits(&mut self, count: usize) -> Option<u32> {
        let digits: String = self.chars.get(self.at..self.at + count)?.iter().collect();
        self.at += count;
        let all_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u32::from_str_radix(&digits, 16).ok().filter(|_| all_digits)
    }

    /// What follows `\p`, or `\P` if `negated`.
    fn property(&mut self, negated: bool) -> Result<String, String> {
        let name = if self.eat('{') {
            let length = self.chars[self.at..].iter().position(|c| *c == '}').ok_or("unclosed character family")?;
            let name = self.chars[self.at..self.at + length].iter().collect();
            self.at += length + 1;
            name
        } else {
            self.next().ok_or("illegal character family")?.to_string()
        };
        let ignores_case = self.flags.ignores_case;
        let members = property(&name, ignores_case).ok_or_else(|| format!("unknown character property '{name}'"))?;
        Ok(bracketed(negated, &members))
    }

    /// Reads the class whose bracket was just read.
    fn class(&mut self, depth: usize) -> Result<String, String> {
        if depth == DEPTH_MAX {
            return Err("classes nest too deep".to_owned());
        }
        let negated = self.eat('^');
        // What is intersected, but for the last.
        let mut sides: Vec<String> = Vec::new();
        let mut members = String::new();
        let mut is_first = true;
        loop {
            self.skip_comments();
            match self.next().ok_or("unclosed character class")? {
                ']' if !is_first => break,
                '[' => members.push_str(&self.class(depth + 1)?),
                '&' if self.peek() == Some('&') => {
                    while self.eat('&') {}
                    sides.push(std::mem::take(&mut members));
                }
                '\\' => match self.escaped()? {
                    Escaped::Char(char) => self.class_range(char, &mut members)?,
                    Escaped::Class(class) => members.push_str(&class),
                    Escaped::Quote => {
                        while let Some(char) = self.next_quoted() {
                            self.push_range(char, char, &mut members);
                        }
                    }
                    Escaped::Other(other) => return Err(format!("illegal escape '\\{other}' in a character class")),
                },
                char => self.class_range(char, &mut members)?,
            }
            is_first = false;
        }
        sides.push(members);
        sides.retain(|side| !side.is_empty());
        match sides.as_slice() {
            [] => Err("bad class syntax".to_owned()),
            [members] => Ok(bracketed(negated, members)),
            sides => {
                let sides: Vec<String> = sides.iter().map(|side| bracketed(false, side)).collect();
                Ok(bracketed(negated, &sides.join("&&")))
            }
        }
    }

    /// Adds `first`, or the range that it begins.
    fn class_range(&mut self, first: char, members: &mut String) -> Result<(), String> {
        self.skip_comments();
        let is_range = self.peek() == Some('-') && !matches!(self.chars.get(self.at + 1), None | Some('[' | ']'));
        let mut last = first;
        if is_range {
            self.at += 1;
            last = match self.next() {
                Some('\\') => match self.escaped()? {
                    Escaped::Char(char) => char,
                    _ => return Err("illegal character range".to_owned()),
                },
                Some(char) => char,
                None => return Err("unclosed character class".to_owned()),
            };
        }
        if last < first {
            return Err("illegal character range".to_owned());
        }
        self.push_range(first, last, members);
        Ok(())
    }

    fn push_range(&self, first: char, last: char, members: &mut String) {
        push_range(members, first, last);
        if !self.flags.ignores_case || self.flags.unicode_case {
            return;
        }
        for (from, to) in [('a', 'z'), ('A', 'Z')] {
            let cases = (other_case(first.max(from)), other_case(last.min(to)));
            if let ((Some(first), Some(last)), true) = (cases, first.max(from) <= last.min(to)) {
                push_range(members, first, last);
            }
        }
    }
}

/// The same letter of ASCII in the other case.
fn other_case(letter: char) -> Option<char> {
    letter.is_ascii_alphabetic().then(|| char::from(letter as u8 ^ 0x20))
}

fn bracketed(negated: bool, members: &str) -> String {
    format!("[{}{members}]", if negated { "^" } else { "" })
}

/// Appends `char` such that it stands for itself, in classes too.
fn push_char(out: &mut String, char: char) {
    if char.is_ascii_alphanumeric() || !char.is_ascii() {
        out.push(char);
    } else {
        let _ = write!(out, r"\x{{{:X}}}", char as u32);
    }
}

fn push_range(out: &mut String, first: char, last: char) {
    push_char(out, first);
    if first != last {
        out.push('-');
        push_char(out, last);
    }
}

/// The members of a property, as they stand in a class.
fn property(name: &str, ignores_case: bool) -> Option<String> {
    let posix = match name {
        "Lower" | "Upper" if ignores_case => "A-Za-z",
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => r"\x{0}-\x{7F}",
        "Alpha" => "A-Za-z",
        "Digit" => "0-9",
        "Alnum" => "0-9A-Za-z",
        "Punct" => r"\x{21}-\x{2F}\x{3A}-\x{40}\x{5B}-\x{60}\x{7B}-\x{7E}",
        "Graph" => r"\x{21}-\x{7E}",
        "Print" => r"\x{20}-\x{7E}",
        "Blank" => r"\x{20}\t",
        "Cntrl" => r"\x{0}-\x{1F}\x{7F}",
        "XDigit" => "0-9A-Fa-f",
        "Space" => SPACE,
        "L1" => r"\x{0}-\x{FF}",
        "all" | "javaDefined" => r"\x{0}-\x{10FFFF}",
        "LD" | "javaLetterOrDigit" => r"\p{L}\p{Nd}",
        "javaLetter" => r"\p{L}",
        "javaDigit" => r"\p{Nd}",
        "javaAlphabetic" => r"\p{Alphabetic}",
        "javaLowerCase" => r"\p{Lowercase}",
        "javaUpperCase" => r"\p{Uppercase}",
        "javaTitleCase" => r"\p{Lt}",
        "javaWhitespace" => {
            r"\t-\r\x{1C}-\x{20}\x{1680}\x{2000}-\x{2006}\x{2008}-\x{200A}\x{2028}\x{2029}\x{205F}\x{3000}"
        }
        "javaSpaceChar" => r"\p{Z}",
        _ => "",
    };
    if !posix.is_empty() {
        return Some(posix.to_owned());
    }
    let named = |name: &str| {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then(|| format!(r"\p{{{name}}}"))
    };
    if let Some((key, value)) = name.split_once('=') {
        let key = match key.to_ascii_lowercase().as_str() {
            "script" | "sc" => "sc",
            "general_category" | "gc" => "gc",
            _ => return None,
        };
        return named(value).map(|_| format!(r"\p{{{key}={value}}}"));
    }
    match name.strip_prefix("Is") {
        Some(name) => named(match name.to_ascii_uppercase().as_str() {
            "DIGIT" => "Nd",
            "LETTER" => "L",
            "TITLECASE" => "Lt",
            "PUNCTUATION" => "P",
            "CONTROL" => "Cc",
            _ => name,
        }),
        None if name.len() <= 2 => named(name),
        None => None,
    }
}

/// Whether what `item` begins with matches a place only: it may be all there is.
fn begins_empty(item: &str) -> bool {
    let inner = item.trim_start_matches("(?:");
    let places = ["(?=", "(?!", "(?<", "(?m:", r"\A", r"\z", r"\b", r"\B", r"\G"];
    inner.starts_with(')') || places.iter().any(|place| inner.starts_with(place))
}
