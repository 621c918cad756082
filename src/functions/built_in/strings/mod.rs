//! Texts.

mod as_value;
mod chr;
mod concat;
mod concat_ws;
mod elt;
mod encode;
mod field;
mod initcap;
mod instr;
mod lcase;
mod len;
mod letter_case;
mod lpad;
mod mask;
mod mask_keep_left;
mod mask_keep_right;
mod mask_left;
mod mask_right;
mod masks;
mod md5;
mod padding;
mod replace;
mod rpad;
mod split;
mod split_to_map;
mod substring;
mod trim;
mod ucase;
mod utf16;
mod uuid;

use levada_udf::{Definition, functions};

use super::{Function, listed};

const CATEGORY: &str = "STRING";
const OTHER: &str = "OTHER";

pub(super) fn functions() -> Vec<Function> {
    let mut functions = listed(CATEGORY, texts());
    functions.extend(listed(OTHER, functions![as_value::as_value]));
    functions
}

fn texts() -> Vec<Definition> {
    functions![
        chr::of_code_point,
        chr::of_escapes,
        concat::texts,
        concat::bytes,
        concat_ws::texts,
        concat_ws::bytes,
        elt::elt,
        encode::encode,
        field::field,
        initcap::initcap,
        instr::first,
        instr::first_from,
        instr::nth_from,
        lcase::lcase,
        len::texts,
        len::bytes,
        lpad::texts,
        lpad::bytes,
        mask::plain,
        mask::with_masks,
        mask_keep_left::plain,
        mask_keep_left::with_masks,
        mask_keep_right::plain,
        mask_keep_right::with_masks,
        mask_left::plain,
        mask_left::with_masks,
        mask_right::plain,
        mask_right::with_masks,
        md5::md5,
        replace::replace,
        rpad::texts,
        rpad::bytes,
        split::texts,
        split::bytes,
        split_to_map::split_to_map,
        substring::text_to_end,
        substring::text_of_length,
        substring::bytes_to_end,
        substring::bytes_of_length,
        trim::trim,
        ucase::ucase,
        uuid::random,
        uuid::of_bytes,
    ]
}
