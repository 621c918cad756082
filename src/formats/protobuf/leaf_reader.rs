//! Reads values that are no message of columns: scalars, names of enums, decimals, dates, times.

use arrow::datatypes::i256;

use super::plan::{Cell, Leaf};
use super::wire::{DELIMITED, VARINT, delimited, integer, number, skip, tag, wire_type_of};
use crate::formats::byte_reader::{ByteReader, Fault, Read};
use crate::formats::decimal_bytes::{big_endian, fit};
use crate::formats::scalar_column::ScalarColumn;
use crate::registry::protobuf::{Scalar, WellKnown};
use crate::types::SqlType;
use crate::types::calendar::{days_from_civil, month_days};

/// Reads the value at the cursor into a cell of `column`; false, and no cell, for a name that the enum does not have.
#[inline]
pub(super) fn read_leaf(
    leaf: &Leaf,
    reader: &mut ByteReader<'_>,
    column: &mut ScalarColumn,
    sql_type: &SqlType,
) -> Read<bool> {
    match leaf {
        Leaf::Scalar(scalar) => read_scalar(*scalar, reader, column, sql_type)?,
        Leaf::Enum(names) => {
            let Some(name) = names.get(reader.varint()? as i32) else { return Ok(false) };
            let ScalarColumn::Text(column) = column else { unreachable!("names of enums are texts") };
            column.push(name.as_bytes())?;
        }
        Leaf::WellKnown(known) => read_well_known(*known, delimited(reader)?, column, sql_type)?,
    }
    Ok(true)
}

#[inline]
fn read_scalar(scalar: Scalar, reader: &mut ByteReader<'_>, column: &mut ScalarColumn, sql_type: &SqlType) -> Read<()> {
    match column {
        ScalarColumn::Boolean(column) => column.push(reader.varint()? != 0),
        ScalarColumn::Integer(column) => column.push(integer(scalar, reader)? as i32),
        ScalarColumn::Date(column) => column.push(integer(scalar, reader)? as i32),
        ScalarColumn::Time(column) => column.push(integer(scalar, reader)? as i32),
        ScalarColumn::Bigint(column) => column.push(integer(scalar, reader)?),
        ScalarColumn::Timestamp(column) => column.push(integer(scalar, reader)?),
        ScalarColumn::Double(column) => column.push(match scalar {
            Scalar::Double => reader.double()?,
            Scalar::Float => f64::from(reader.float()?),
            other => integer(other, reader)? as f64,
        }),
        ScalarColumn::Text(column) => match scalar {
            Scalar::String => column.push_text(delimited(reader)?)?,
            Scalar::Bool => column.push(if reader.varint()? != 0 { b"true" } else { b"false" })?,
            other => column.push(itoa::Buffer::new().format(integer(other, reader)?).as_bytes())?,
        },
        ScalarColumn::Bytes(column) => column.push(delimited(reader)?)?,
        ScalarColumn::Decimal128(_) | ScalarColumn::Decimal256(_) => {
            let digits = i256::from_i128(integer(scalar, reader)?.into());
            push_decimal(column, fit(Some(digits), 0, sql_type)?);
        }
    }
    Ok(())
}

fn push_decimal(column: &mut ScalarColumn, digits: i256) {
    match column {
        // A DECIMAL of at most 38 digits fits.
        ScalarColumn::Decimal128(column) => column.push(digits.to_i128().unwrap_or_default()),
        ScalarColumn::Decimal256(column) => column.push(digits),
        _ => unreachable!("decimals stand in decimal columns"),
    }
}

/// Appends a default value.
pub(super) fn push_cell(column: &mut ScalarColumn, cell: &Cell, sql_type: &SqlType) -> Read<()> {
    match (column, cell) {
        (ScalarColumn::Boolean(column), Cell::Integer(value)) => column.push(*value != 0),
        (ScalarColumn::Integer(column), Cell::Integer(value)) => column.push(*value as i32),
        (ScalarColumn::Date(column), Cell::Integer(value)) => column.push(*value as i32),
        (ScalarColumn::Time(column), Cell::Integer(value)) => column.push(*value as i32),
        (ScalarColumn::Bigint(column), Cell::Integer(value)) => column.push(*value),
        (ScalarColumn::Timestamp(column), Cell::Integer(value)) => column.push(*value),
        (ScalarColumn::Double(column), Cell::Double(value)) => column.push(*value),
        (ScalarColumn::Text(column), Cell::Bytes(value)) => column.push_text(value)?,
        (ScalarColumn::Bytes(column), Cell::Bytes(value)) => column.push(value)?,
        (column, Cell::Integer(value)) => {
            push_decimal(column, fit(Some(i256::from_i128((*value).into())), 0, sql_type)?);
        }
        _ => unreachable!("defaults are made for their columns"),
    }
    Ok(())
}

fn read_well_known(known: WellKnown, message: &[u8], column: &mut ScalarColumn, sql_type: &SqlType) -> Read<()> {
    match (known, column) {
        (WellKnown::Wrapper(scalar), column) => return read_wrapped(scalar, message, column, sql_type),
        (WellKnown::Timestamp, ScalarColumn::Timestamp(column)) => {
            let [seconds, nanos] = numbers(message)?;
            column.push(timestamp(seconds, nanos)?);
        }
        (WellKnown::Date, ScalarColumn::Date(column)) => {
            let [year, month, day] = numbers(message)?;
            column.push(date(year, month, day)?);
        }
        (WellKnown::TimeOfDay, ScalarColumn::Time(column)) => column.push(time(numbers(message)?)?),
        (WellKnown::Decimal, column) => {
            let (digits, scale) = decimal(message)?;
            push_decimal(column, fit(big_endian(digits), scale, sql_type)?);
        }
        _ => unreachable!("plans are compiled for their columns"),
    }
    Ok(())
}

/// The field 1 of a wrapper; the last one counts, and none is the default value.
fn read_wrapped(scalar: Scalar, message: &[u8], column: &mut ScalarColumn, sql_type: &SqlType) -> Read<()> {
    let mut reader = ByteReader::new(message);
    let mut value = None;
    while !reader.is_at_end() {
        let found = reader.varint()?;
        if found == tag(1, wire_type_of(scalar)) {
            value = Some(reader.clone());
        }
        skip(&mut reader, found)?;
    }
    match value {
        Some(mut value) => read_scalar(scalar, &mut value, column, sql_type),
        // Nothing but zeros reads as the default value of any number, and no length as that of any text.
        None => read_scalar(scalar, &mut ByteReader::new(&[0; 8]), column, sql_type),
    }
}

/// The numbers of the fields 1 to `N` of a message; those that are missing are 0.
fn numbers<const N: usize>(message: &[u8]) -> Read<[i64; N]> {
    let mut numbers = [0; N];
    let mut reader = ByteReader::new(message);
    while !reader.is_at_end() {
        let found = reader.varint()?;
        let index = usize::try_from(number(found)).unwrap_or(usize::MAX).wrapping_sub(1);
        match numbers.get_mut(index) {
            Some(place) if found == tag(index as u32 + 1, VARINT) => *place = reader.varint()? as i64,
            _ => skip(&mut reader, found)?,
        }
    }
    Ok(numbers)
}

/// Milliseconds since 1970 of `google.protobuf.Timestamp`, which holds the years 1 to 9999.
fn timestamp(seconds: i64, nanos: i64) -> Read<i64> {
    if !SECONDS.contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
        return Err(Fault::Wrong(format!("a timestamp has {seconds} seconds and {nanos} nanoseconds")));
    }
    Ok(seconds * 1_000 + nanos / 1_000_000)
}

/// Seconds since 1970 of the years 1 to 9999.
pub(super) const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

fn date(year: i64, month: i64, day: i64) -> Read<i32> {
    let wrong = || Fault::Wrong(format!("there is no date {year}-{month}-{day}"));
    let (month, day) = (month as u32, day as u32);
    if !(1..=12).contains(&month) || day == 0 || day > month_days(year, month) || i32::try_from(year).is_err() {
        return Err(wrong());
    }
    i32::try_from(days_from_civil(year, month, day)).map_err(|_| wrong())
}

/// Milliseconds of the day.
fn time([hours, minutes, seconds, nanos]: [i64; 4]) -> Read<i32> {
    let is_time = (0..24).contains(&hours)
        && (0..60).contains(&minutes)
        && (0..60).contains(&seconds)
        && (0..1_000_000_000).contains(&nanos);
    if !is_time {
        return Err(Fault::Wrong(format!("there is no time {hours}:{minutes}:{seconds} and {nanos} nanoseconds")));
    }
    Ok((((hours * 60 + minutes) * 60 + seconds) * 1_000 + nanos / 1_000_000) as i32)
}

/// Digits and scale of `confluent.type.Decimal`.
fn decimal(message: &[u8]) -> Read<(&[u8], u8)> {
    let (mut digits, mut scale) = (&[][..], 0);
    let mut reader = ByteReader::new(message);
    while !reader.is_at_end() {
        match reader.varint()? {
            found if found == tag(1, DELIMITED) => digits = delimited(&mut reader)?,
            found if found == tag(3, VARINT) => scale = reader.varint()? as i32,
            other => skip(&mut reader, other)?,
        }
    }
    let scale = u8::try_from(scale).map_err(|_| Fault::Wrong(format!("a decimal has the scale {scale}")))?;
    Ok((digits, scale))
}
