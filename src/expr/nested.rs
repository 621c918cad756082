//! Structs, arrays and maps: made, and taken apart.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StringArray, StructArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, Int32Type};
use datafusion_physical_expr::PhysicalExpr;

use super::compile::unary;
use super::kernel::{Kernel, Operand};

/// `struct->field`: null where the struct is.
pub(super) fn compile_field(input: Arc<dyn PhysicalExpr>, index: usize, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    unary("->", input, data_type, move |values| {
        let structs = values.as_struct();
        let field = structs.column(index);
        match structs.nulls() {
            None => Arc::clone(field),
            Some(outer) => {
                let nulls = NullBuffer::union(Some(outer), field.logical_nulls().as_ref());
                let data = field.to_data().into_builder().nulls(nulls).build();
                arrow::array::make_array(data.expect("only nulls were added"))
            }
        }
    })
}

/// Elements at `indices`; `None` is null.
fn gather(values: &ArrayRef, indices: impl Iterator<Item = Option<u32>>) -> ArrayRef {
    take(values, &indices.collect::<UInt32Array>(), None).expect("indices are within the elements")
}

/// `array[i]`: from 1, or from the end when negative; null outside.
pub(super) fn compile_index(inputs: Vec<Arc<dyn PhysicalExpr>>, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    Kernel::compile("[]", inputs, data_type, |operands, rows| {
        let (lists, positions) = (&operands[0], &operands[1]);
        let list = lists.array().as_list::<i32>();
        let position = positions.array().as_primitive::<Int32Type>();
        let indices = (0..rows).map(|row| {
            let (i, j) = (lists.index(row), positions.index(row));
            if list.is_null(i) || position.is_null(j) {
                return None;
            }
            let (start, length) = (list.value_offsets()[i], list.value_length(i));
            let wanted = position.value(j);
            let index = if wanted > 0 { wanted - 1 } else { length.wrapping_add(wanted) };
            (wanted != 0 && (0..length).contains(&index)).then_some((start + index) as u32)
        });
        gather(list.values(), indices)
    })
}

/// `map[key]`: null where the key is not there.
pub(super) fn compile_map_get(inputs: Vec<Arc<dyn PhysicalExpr>>, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    Kernel::compile("[]", inputs, data_type, |operands, rows| {
        let (maps, wanted) = (&operands[0], &operands[1]);
        let map = maps.array().as_map();
        let indices = (0..rows).map(|row| {
            let (i, j) = (maps.index(row), wanted.index(row));
            if map.is_null(i) || wanted.array().is_null(j) {
                return None;
            }
            let key = wanted.array().slice(j, 1).to_data();
            let (start, end) = (map.value_offsets()[i], map.value_offsets()[i + 1]);
            (start..end).map(|at| at as u32).find(|&at| map.keys().slice(at as usize, 1).to_data() == key)
        });
        gather(map.values(), indices)
    })
}

/// One column whose rows are the operands' values in turn.
fn interleaved(operands: &[&Operand], rows: usize) -> ArrayRef {
    let arrays: Vec<&dyn Array> = operands.iter().map(|operand| operand.array().as_ref()).collect();
    let indices: Vec<(usize, usize)> = (0..rows)
        .flat_map(|row| operands.iter().enumerate().map(move |(column, operand)| (column, operand.index(row))))
        .collect();
    interleave(&arrays, &indices).expect("elements have one type")
}

fn equal_lengths(rows: usize, length: usize) -> OffsetBuffer<i32> {
    OffsetBuffer::new((0..=rows).map(|row| (row * length) as i32).collect::<ScalarBuffer<i32>>())
}

/// `ARRAY[…]`
pub(super) fn compile_array(inputs: Vec<Arc<dyn PhysicalExpr>>, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    let DataType::List(field) = data_type.clone() else { unreachable!("ARRAY makes lists") };
    Kernel::compile("ARRAY", inputs, data_type, move |operands, rows| {
        let values = interleaved(&operands.iter().collect::<Vec<_>>(), rows);
        Arc::new(ListArray::new(Arc::clone(&field), equal_lengths(rows, operands.len()), values, None))
    })
}

/// `MAP(k := v, …)`: of equal keys the last wins.
pub(super) fn compile_map(inputs: Vec<Arc<dyn PhysicalExpr>>, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    let DataType::Map(field, _) = data_type.clone() else { unreachable!("MAP makes maps") };
    Kernel::compile("MAP", inputs, data_type, move |operands, rows| {
        let keys: Vec<&Operand> = operands.iter().step_by(2).collect();
        let values: Vec<&Operand> = operands.iter().skip(1).step_by(2).collect();
        let (all_keys, all_values) = (spelled_out(interleaved(&keys, rows)), interleaved(&values, rows));
        let (mut kept, mut ends) = (Vec::new(), vec![0]);
        for row in 0..rows {
            for entry in row * keys.len()..(row + 1) * keys.len() {
                let key = all_keys.slice(entry, 1).to_data();
                let later = entry + 1..(row + 1) * keys.len();
                let replaced = later.into_iter().any(|other| all_keys.slice(other, 1).to_data() == key);
                if !replaced && all_keys.is_valid(entry) {
                    kept.push(entry as u32);
                }
            }
            ends.push(kept.len() as i32);
        }
        let taken = |values: &ArrayRef| gather(values, kept.iter().map(|&entry| Some(entry)));
        let DataType::Struct(fields) = field.data_type() else { unreachable!("map entries are structs") };
        let entries = StructArray::new(fields.clone(), vec![taken(&all_keys), taken(&all_values)], None);
        Arc::new(MapArray::new(Arc::clone(&field), OffsetBuffer::new(ends.into()), entries, None, false))
    })
}

/// Keys that are texts, NULL as `null`: ksqlDB keeps such an entry, and writes its key so. Arrow has no maps with NULL keys.
fn spelled_out(keys: ArrayRef) -> ArrayRef {
    match keys.as_string_opt::<i32>() {
        Some(texts) if texts.null_count() > 0 => {
            Arc::new(texts.iter().map(|text| Some(text.unwrap_or("null"))).collect::<StringArray>())
        }
        _ => keys,
    }
}

/// `STRUCT(f := v, …)`
pub(super) fn compile_struct(inputs: Vec<Arc<dyn PhysicalExpr>>, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    let DataType::Struct(fields) = data_type.clone() else { unreachable!("STRUCT makes structs") };
    Kernel::compile("STRUCT", inputs, data_type, move |operands, rows| {
        let columns: Vec<ArrayRef> = operands.iter().map(|operand| operand.expanded(rows)).collect();
        let structs = StructArray::try_new_with_length(fields.clone(), columns, None, rows);
        Arc::new(structs.expect("fields were typed with the expression"))
    })
}
