//! The members of objects.

use std::borrow::Cow;

use hashbrown::HashMap;

use crate::types::json_text::write_text;

use super::compact::Compact;
use super::scanner::for_each_member;

/// Members, each name once: the last one of a name stands in the place of the first.
#[derive(Default)]
pub(super) struct Members<'a> {
    places: HashMap<Cow<'a, str>, usize, foldhash::fast::RandomState>,
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Members<'a> {
    /// Those of the object that `text` is; `None` if it is something else.
    pub(super) fn of(text: &'a str) -> Result<Option<Self>, String> {
        let mut members = Self::default();
        let is_object = members.add(text)?;
        Ok(is_object.then_some(members))
    }

    /// Adds those of the object that `text` is; false if it is something else.
    pub(super) fn add(&mut self, text: &'a str) -> Result<bool, String> {
        for_each_member(text, |name, value| {
            let name = name.plain();
            let place = *self.places.entry(name.clone()).or_insert(self.members.len());
            match self.members.get_mut(place) {
                Some(member) => member.1 = value,
                None => self.members.push((name, value)),
            }
        })
    }

    /// Names and values, as they are written.
    pub(super) fn into_vec(self) -> Vec<(Cow<'a, str>, &'a str)> {
        self.members
    }

    /// The object that they make.
    pub(super) fn to_json(&self) -> String {
        let mut compact = Compact::default();
        let mut object = vec![b'{'];
        for (index, (name, value)) in self.members.iter().enumerate() {
            if index > 0 {
                object.push(b',');
            }
            write_text(&mut object, name.as_bytes());
            object.push(b':');
            object.extend_from_slice(compact.json(value).as_bytes());
        }
        object.push(b'}');
        String::from_utf8(object).expect("what is written is UTF-8")
    }
}
