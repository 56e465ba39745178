//! Columns as files have them and as the engine has them.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, ListArray, MapArray,
    StructArray, Time64MicrosecondArray, TimestampMicrosecondArray, new_null_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, Fields, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use iceberg::{Primitive, Type, Value};

use super::columns::trino_type;
use crate::moment::{
    Clock, ClockBuilder, Moment, clocks, moments, of_micros, of_moments, to_micros,
};
use crate::sql::{Failure, TrinoType, UUID_WIDTH};

/// Picoseconds of a microsecond.
const MICROSECOND: i64 = 1_000_000;

/// The id of a column of a file, if it has one.
pub(super) fn id_of(field: &Field) -> Option<i32> {
    field.metadata().get(PARQUET_FIELD_ID_META_KEY)?.parse().ok()
}

fn bad(found: &DataType, kind: &Type) -> Failure {
    Failure::new(
        "ICEBERG_BAD_DATA",
        format!("a column of the type {found} in a file of an Iceberg table is no {kind}"),
    )
}

/// A file's column as the engine has columns of an Iceberg type. Parts are found by their ids.
pub(super) fn to_engine(array: &ArrayRef, kind: &Type) -> Result<ArrayRef> {
    let wrong = || bad(array.data_type(), kind);
    let wanted = trino_type(kind)?.to_arrow();
    match (kind, array.data_type()) {
        (Type::Primitive(primitive), _) => primitive_to_engine(array, *primitive, kind),
        (Type::List(list), DataType::List(_)) => {
            let DataType::List(item) = &wanted else { return Err(wrong().into()) };
            let found = array.as_list::<i32>();
            let values = to_engine(found.values(), &list.element)?;
            let nulls = found.nulls().cloned();
            let list = ListArray::try_new(item.clone(), found.offsets().clone(), values, nulls)?;
            Ok(Arc::new(list))
        }
        (Type::Map(map), DataType::Map(..)) => {
            let DataType::Map(entries, sorted) = &wanted else { return Err(wrong().into()) };
            let DataType::Struct(fields) = entries.data_type() else { return Err(wrong().into()) };
            let found = array.as_map();
            let (keys, values) =
                (to_engine(found.keys(), &map.key)?, to_engine(found.values(), &map.value)?);
            let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
            let offsets = found.offsets().clone();
            let nulls = found.nulls().cloned();
            Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, nulls, *sorted)?))
        }
        (Type::Struct(fields), DataType::Struct(found)) => {
            let row = array.as_struct();
            let columns = fields.iter().map(|field| {
                let place = found.iter().position(|known| id_of(known) == Some(field.id));
                match place {
                    Some(place) => to_engine(row.column(place), &field.kind),
                    None => Ok(new_null_array(&trino_type(&field.kind)?.to_arrow(), row.len())),
                }
            });
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let DataType::Struct(wanted) = wanted else { return Err(wrong().into()) };
            let nulls = row.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(wanted, columns, nulls, row.len())?))
        }
        _ => Err(wrong().into()),
    }
}

fn primitive_to_engine(array: &ArrayRef, primitive: Primitive, kind: &Type) -> Result<ArrayRef> {
    let wanted = trino_type(kind)?;
    let found = array.data_type();
    match (primitive, found) {
        (
            Primitive::Timestamp | Primitive::Timestamptz,
            DataType::Timestamp(TimeUnit::Microsecond, _),
        ) => {
            let zoned = primitive == Primitive::Timestamptz;
            Ok(of_micros(array.as_primitive::<TimestampMicrosecondType>(), zoned))
        }
        (Primitive::Timestamp | Primitive::Timestamptz, DataType::Timestamp(..)) => {
            of_moments(moments(array.as_ref()).into_iter().map(Ok::<_, Failure>), &wanted)
        }
        (Primitive::Time, DataType::Time64(TimeUnit::Microsecond)) => {
            let mut clocks = ClockBuilder::new(&wanted, array.len())?;
            for micros in array.as_primitive::<Time64MicrosecondType>() {
                clocks.append(micros.map(|micros| Clock::new(micros * MICROSECOND, 0)))?;
            }
            Ok(clocks.finish())
        }
        (Primitive::Uuid, DataType::FixedSizeBinary(16)) => {
            let width = usize::try_from(UUID_WIDTH).unwrap_or(0);
            let mut wide = FixedSizeBinaryBuilder::with_capacity(array.len(), UUID_WIDTH);
            for bytes in array.as_fixed_size_binary() {
                match bytes {
                    Some(bytes) => {
                        let mut bytes = bytes.to_vec();
                        bytes.resize(width, 0);
                        wide.append_value(bytes)?;
                    }
                    None => wide.append_null(),
                }
            }
            Ok(Arc::new(wide.finish()))
        }
        (_, found) if *found == wanted.to_arrow() => Ok(array.clone()),
        (Primitive::Long, DataType::Int32)
        | (Primitive::Double, DataType::Float32)
        | (
            Primitive::Decimal(..),
            DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..),
        )
        | (Primitive::String, DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary)
        | (
            Primitive::Binary,
            DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_),
        ) => Ok(cast(array, &wanted.to_arrow())?),
        _ => Err(bad(found, kind).into()),
    }
}

/// A field of a file: with its id, and those of its parts.
pub(super) fn file_field(field: &iceberg::Field) -> Field {
    part(&field.name, field.id, !field.required, &field.kind)
}

fn part(name: &str, id: i32, nullable: bool, kind: &Type) -> Field {
    let id = HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string())]);
    Field::new(name, file_arrow(kind), nullable).with_metadata(id)
}

fn file_arrow(kind: &Type) -> DataType {
    match kind {
        Type::Primitive(primitive) => match primitive {
            Primitive::Boolean => DataType::Boolean,
            Primitive::Int => DataType::Int32,
            Primitive::Long => DataType::Int64,
            Primitive::Float => DataType::Float32,
            Primitive::Double => DataType::Float64,
            Primitive::Decimal(precision, scale) => {
                DataType::Decimal128(*precision, scale.cast_signed())
            }
            Primitive::Date => DataType::Date32,
            Primitive::Time => DataType::Time64(TimeUnit::Microsecond),
            Primitive::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Primitive::Timestamptz => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
            Primitive::String => DataType::Utf8,
            Primitive::Uuid => DataType::FixedSizeBinary(16),
            Primitive::Fixed(width) => {
                DataType::FixedSizeBinary(i32::try_from(*width).unwrap_or(i32::MAX))
            }
            Primitive::Binary => DataType::Binary,
        },
        Type::List(list) => DataType::List(Arc::new(part(
            "element",
            list.element_id,
            !list.element_required,
            &list.element,
        ))),
        Type::Map(map) => {
            let pair = Fields::from(vec![
                part("key", map.key_id, false, &map.key),
                part("value", map.value_id, !map.value_required, &map.value),
            ]);
            DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(pair), false)), false)
        }
        Type::Struct(fields) => DataType::Struct(fields.iter().map(file_field).collect()),
    }
}

/// The engine's column as files have columns of an Iceberg type.
pub(super) fn to_file(array: &ArrayRef, kind: &Type) -> Result<ArrayRef> {
    let wrong = || bad(array.data_type(), kind);
    let wanted = file_arrow(kind);
    match (kind, &wanted) {
        (Type::Primitive(primitive), _) => primitive_to_file(array, *primitive, &wanted),
        (Type::List(list), DataType::List(item)) => {
            let found = array.as_list_opt::<i32>().ok_or_else(wrong)?;
            let values = to_file(found.values(), &list.element)?;
            let nulls = found.nulls().cloned();
            let list = ListArray::try_new(item.clone(), found.offsets().clone(), values, nulls)?;
            Ok(Arc::new(list))
        }
        (Type::Map(map), DataType::Map(entries, sorted)) => {
            let DataType::Struct(fields) = entries.data_type() else { return Err(wrong().into()) };
            let found = array.as_map_opt().ok_or_else(wrong)?;
            let (keys, values) =
                (to_file(found.keys(), &map.key)?, to_file(found.values(), &map.value)?);
            let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
            let offsets = found.offsets().clone();
            let nulls = found.nulls().cloned();
            Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, nulls, *sorted)?))
        }
        (Type::Struct(fields), DataType::Struct(wanted)) => {
            let row = array.as_struct_opt().ok_or_else(wrong)?;
            let columns = fields.iter().zip(row.columns());
            let columns = columns.map(|(field, column)| to_file(column, &field.kind));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let nulls = row.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(
                wanted.clone(),
                columns,
                nulls,
                row.len(),
            )?))
        }
        _ => Err(wrong().into()),
    }
}

fn primitive_to_file(
    array: &ArrayRef,
    primitive: Primitive,
    wanted: &DataType,
) -> Result<ArrayRef> {
    match primitive {
        Primitive::Timestamp | Primitive::Timestamptz => {
            let found: TimestampMicrosecondArray = to_micros(array.as_ref()).unwrap_or_else(|| {
                moments(array.as_ref()).into_iter().map(|moment| moment.map(micros_of)).collect()
            });
            Ok(match wanted {
                DataType::Timestamp(_, Some(zone)) => Arc::new(found.with_timezone(zone.as_ref())),
                _ => Arc::new(found),
            })
        }
        Primitive::Time => {
            let found: Time64MicrosecondArray = clocks(array.as_ref())
                .into_iter()
                .map(|clock| clock.map(|clock| clock.picos / MICROSECOND))
                .collect();
            Ok(Arc::new(found))
        }
        Primitive::Uuid => {
            let short = array.as_fixed_size_binary().iter().map(|bytes| bytes.map(|b| &b[..16]));
            Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(short, 16)?))
        }
        _ if array.data_type() == wanted => Ok(array.clone()),
        _ => Ok(cast(array, wanted)?),
    }
}

fn micros_of(moment: Moment) -> i64 {
    moment.seconds.saturating_mul(1_000_000).saturating_add(moment.picos / MICROSECOND)
}

/// The type of a column without rows.
pub(super) fn engine_arrow(kind: &Type) -> Result<DataType, Failure> {
    trino_type(kind).map(|kind: TrinoType| kind.to_arrow())
}

/// Values of a type as a column of the engine's.
pub(super) fn engine_values(
    values: impl Iterator<Item = Option<Value>>,
    primitive: Primitive,
) -> Result<ArrayRef> {
    let kind = Type::Primitive(primitive);
    let none = ScalarValue::try_from(&file_arrow(&kind))?;
    let values: Vec<ScalarValue> = values
        .map(|value| {
            value.and_then(|value| scalar(value, primitive)).unwrap_or_else(|| none.clone())
        })
        .collect();
    if values.is_empty() {
        return Ok(new_null_array(&engine_arrow(&kind)?, 0));
    }
    to_engine(&ScalarValue::iter_to_array(values)?, &kind)
}

/// A value as files have it.
fn scalar(value: Value, kind: Primitive) -> Option<ScalarValue> {
    let micros = |micros, zone| ScalarValue::TimestampMicrosecond(Some(micros), zone);
    Some(match (value, kind) {
        (Value::Boolean(value), _) => ScalarValue::Boolean(Some(value)),
        (Value::Int(value), _) => ScalarValue::Int32(Some(value)),
        (Value::Long(value), _) => ScalarValue::Int64(Some(value)),
        (Value::Float(value), _) => ScalarValue::Float32(Some(value)),
        (Value::Double(value), _) => ScalarValue::Float64(Some(value)),
        (Value::Decimal(value), Primitive::Decimal(precision, scale)) => {
            ScalarValue::Decimal128(Some(value), precision, scale.cast_signed())
        }
        (Value::Date(value), _) => ScalarValue::Date32(Some(value)),
        (Value::Time(value), _) => ScalarValue::Time64Microsecond(Some(value)),
        (Value::Timestamp(value), Primitive::Timestamptz) => micros(value, Some("UTC".into())),
        (Value::Timestamp(value), _) => micros(value, None),
        (Value::String(value), _) => ScalarValue::Utf8(Some(value)),
        (Value::Bytes(value), Primitive::Uuid) => ScalarValue::FixedSizeBinary(16, Some(value)),
        (Value::Bytes(value), Primitive::Binary) => ScalarValue::Binary(Some(value)),
        _ => return None,
    })
}
