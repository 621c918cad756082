//! Reads JSON objects into columns: of the root record, or of a STRUCT.
//!
//! Members are matched to fields by exact name first, then by their name in upper case; of equal matches the last one
//! counts. Other members are skipped, but checked. Producers write members in the same order again and again, so each
//! known name remembers which name followed it last time, and comparing with that one is nearly all the look-up there is.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullBufferBuilder, StructArray};
use arrow::datatypes::Fields;
use foldhash::HashMap;

use crate::types::json_scanner::{Scanner, first_word};
use crate::types::json_text::unescape;

use super::dialect::is_union_field;
use super::fault::{Fault, Scan};
use super::value_reader::{Scratch, ValueReader};

/// Most names remembered per record type. Documents with data as names would otherwise fill the memory.
const KNOWN_NAMES_MAX: usize = 1024;

/// Stands for no name and no field.
const NONE: u32 = u32::MAX;

/// Fields that a member name feeds: the one of that very name, and the one of the name in upper case.
#[derive(Debug, Clone, Copy)]
struct Target {
    exact: u32,
    folded: u32,
}

/// A member name seen before.
struct KnownName {
    /// The name as it stands in documents, with its quotes.
    quoted: Box<[u8]>,
    word: (u64, u64),
    target: Target,
    /// Index of the known name that followed last time.
    next: u32,
}

/// Reads objects; one child reader per field.
pub(super) struct RecordReader {
    names: Vec<String>,
    fields: Vec<ValueReader>,
    /// Whether the fields hold one value of several types.
    is_union: bool,
    /// Name of the type in messages.
    expected: String,
    arrow: Fields,
    nulls: NullBufferBuilder,
    len: usize,
    /// Known names by their text. The first one stands for the opening bracket.
    known: Vec<KnownName>,
    known_by_text: HashMap<Box<[u8]>, u32>,
    /// Objects begun so far, twice: an even number that marks the current one.
    mark: u64,
    /// For each field the mark of the last object that had it, plus one where the name was exact.
    marks: Vec<u64>,
}

impl RecordReader {
    /// A reader for fields of the given names; `arrow` are the Arrow fields of those that keep their values.
    pub(super) fn new(fields: impl Iterator<Item = (String, ValueReader)>, arrow: Fields, expected: String) -> Self {
        let (names, fields): (Vec<_>, Vec<_>) = fields.unzip();
        let opening = KnownName {
            quoted: Box::default(),
            word: (0, 0),
            target: Target { exact: NONE, folded: NONE },
            next: NONE,
        };
        Self {
            marks: vec![0; names.len()],
            is_union: !names.is_empty() && names.iter().all(|name| is_union_field(name)),
            names,
            fields,
            expected,
            arrow,
            nulls: NullBufferBuilder::new(0),
            len: 0,
            known: vec![opening],
            known_by_text: HashMap::default(),
            mark: 0,
        }
    }

    /// Reads an object or `null`.
    pub(super) fn read(&mut self, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<()> {
        match scanner.next_token() {
            b'n' => {
                scanner.null()?;
                self.push_null();
                Ok(())
            }
            _ if scratch.dialect.unions && self.is_union => self.read_union(scanner, scratch),
            b'{' => self.read_object(scanner, scratch),
            _ => {
                let start = scanner.position();
                scanner.skip_value()?;
                Err(Fault::mismatch(&self.expected, scanner.between(start, scanner.position())))
            }
        }
    }

    /// Whether the fields hold one value of several types, of which one is as `wanted`.
    pub(super) fn unites(&self, wanted: &dyn Fn(&ValueReader) -> bool) -> bool {
        self.is_union && self.fields.iter().any(wanted)
    }

    /// Reads a value into the first field that takes it; the others are NULL.
    fn read_union(&mut self, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<()> {
        let (token, start) = (scanner.next_token(), scanner.position());
        let count = self.fields.len();
        for (index, last_resort) in (0..count).map(|index| (index, false)).chain((0..count).map(|index| (index, true)))
        {
            let field = &self.fields[index];
            // Who has tried and failed would fail again, and so would all within it.
            let is_likely = field.may_begin_with(token);
            let may_be = if last_resort { !is_likely && token == b'"' && field.may_be_text() } else { is_likely };
            if !may_be {
                continue;
            }
            if self.fields[index].read(scanner, scratch).is_ok() {
                let others = self.fields.iter_mut().enumerate().filter(|(other, _)| *other != index);
                others.for_each(|(_, field)| field.push_null());
                self.nulls.append_non_null();
                self.len += 1;
                return Ok(());
            }
            self.fields[index].truncate(self.len);
            scanner.rewind(start);
        }
        scanner.skip_value()?;
        Err(Fault::mismatch(&self.expected, scanner.between(start, scanner.position())))
    }

    /// Reads the object whose bracket is at the cursor.
    #[inline]
    pub(super) fn read_object(&mut self, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<()> {
        self.mark += 2;
        let mut missing = self.fields.len();
        let mut previous = 0;
        let mut first = true;
        scanner.skip_byte();
        while scanner.another(first, b'}')? {
            first = false;
            let target = self.member_target(scanner, &mut previous)?;
            if target.exact != NONE {
                let start = scanner.position();
                missing -= usize::from(self.read_field(target.exact as usize, 1, scanner, scratch)?);
                if target.folded != NONE {
                    scanner.rewind(start);
                }
            }
            if target.folded != NONE {
                missing -= usize::from(self.read_field(target.folded as usize, 0, scanner, scratch)?);
            } else if target.exact == NONE {
                scanner.skip_value()?;
            }
        }
        if missing > 0 {
            self.fill_missing();
        }
        self.nulls.append_non_null();
        self.len += 1;
        Ok(())
    }

    /// Reads a member's name and colon. `previous` is the known name before it, and becomes this one.
    #[inline]
    fn member_target(&mut self, scanner: &mut Scanner<'_>, previous: &mut u32) -> Scan<Target> {
        let guess = self.known[*previous as usize].next;
        if let Some(known) = self.known.get(guess as usize)
            && scanner.accept(&known.quoted, known.word)
        {
            let target = known.target;
            *previous = guess;
            scanner.expect(b':', "expected ':'")?;
            return Ok(target);
        }
        let (name, escaped) = scanner.member_name()?;
        Ok(self.find(name, escaped, previous))
    }

    /// Finds the fields of a name that was not expected here, and expects it next time.
    fn find(&mut self, name: &[u8], escaped: bool, previous: &mut u32) -> Target {
        if escaped {
            let mut plain = Vec::new();
            unescape(name, &mut plain);
            return self.target_of(&plain);
        }
        let index = match self.known_by_text.get(name) {
            Some(&index) => index,
            None if self.known.len() < KNOWN_NAMES_MAX => self.learn(name),
            None => return self.target_of(name),
        };
        self.known[*previous as usize].next = index;
        *previous = index;
        self.known[index as usize].target
    }

    fn learn(&mut self, name: &[u8]) -> u32 {
        let index = self.known.len() as u32;
        let quoted: Box<[u8]> = [b"\"", name, b"\""].concat().into();
        self.known.push(KnownName { word: first_word(&quoted), quoted, target: self.target_of(name), next: NONE });
        self.known_by_text.insert(name.into(), index);
        index
    }

    fn target_of(&self, name: &[u8]) -> Target {
        let name = String::from_utf8_lossy(name);
        let upper = name.to_uppercase();
        let field = |wanted: &str| self.names.iter().position(|name| name == wanted).map_or(NONE, |at| at as u32);
        let (exact, folded) = (field(&name), field(&upper));
        Target { exact, folded: if folded == exact { NONE } else { folded } }
    }

    /// Reads the value of a field; true if it is the object's first value for it. `rank` is 1 for an exact name match,
    /// which a match in upper case does not replace, else 0.
    #[inline]
    fn read_field(&mut self, field: usize, rank: u64, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<bool> {
        let before = self.marks[field];
        if before >= self.mark {
            if before - self.mark > rank {
                scanner.skip_value()?;
                return Ok(false);
            }
            self.fields[field].truncate(self.len);
        }
        self.marks[field] = self.mark + rank;
        match self.fields[field].read(scanner, scratch) {
            Ok(()) => Ok(before < self.mark),
            Err(fault) => Err(fault.in_member(&self.names[field])),
        }
    }

    fn fill_missing(&mut self) {
        for (field, mark) in self.fields.iter_mut().zip(&self.marks) {
            if *mark < self.mark {
                field.push_null();
            }
        }
    }

    pub(super) fn push_null(&mut self) {
        self.fields.iter_mut().for_each(ValueReader::push_null);
        self.nulls.append_null();
        self.len += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.fields.iter_mut().for_each(|field| field.truncate(len));
        if len < self.len {
            self.nulls.truncate(len);
            self.len = len;
        }
    }

    /// The fields' arrays, without the records' own nulls; `None` for a field that keeps nothing.
    pub(super) fn finish_fields(&mut self) -> Vec<Option<ArrayRef>> {
        self.nulls.finish();
        self.len = 0;
        let finish = |field: &mut ValueReader| {
            if field.keeps() {
                return Some(field.finish());
            }
            field.truncate(0);
            None
        };
        self.fields.iter_mut().map(finish).collect()
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        let (len, nulls) = (self.len, self.nulls.finish());
        let columns = self.finish_fields().into_iter().flatten().collect();
        let records = StructArray::try_new_with_length(self.arrow.clone(), columns, nulls, len);
        Arc::new(records.expect("every field has one value per record"))
    }
}
