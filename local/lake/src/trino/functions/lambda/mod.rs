//! Functions that take lambdas, and `try`, whose body is one.

mod default;
mod list;
mod map;
mod reduce;
mod replace;
mod sort;
mod trying;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::compute::take_arrays;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDF, HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda,
    Volatility,
};

use crate::sql::{Failure, TrinoType};

/// Every function that takes lambdas.
pub(super) fn functions() -> Vec<Arc<HigherOrderUDF>> {
    [
        ("try", Kind::Try),
        ("transform", Kind::List(list::Kind::Transform)),
        ("filter", Kind::List(list::Kind::Filter)),
        ("any_match", Kind::List(list::Kind::Any)),
        ("all_match", Kind::List(list::Kind::All)),
        ("none_match", Kind::List(list::Kind::None)),
        ("zip_with", Kind::ZipWith),
        ("transform_keys", Kind::Map(map::Kind::Keys)),
        ("transform_values", Kind::Map(map::Kind::Values)),
        ("map_filter", Kind::Map(map::Kind::Filter)),
        ("reduce", Kind::Reduce),
        ("map_zip_with", Kind::MapZipWith),
        ("$regexp_replace_by", Kind::Replace),
        ("$array_sort_by", Kind::Sort),
        ("$json_default", Kind::Default),
    ]
    .into_iter()
    .map(|(name, kind)| Arc::new(HigherOrderUDF::new_from_impl(LambdaFunction { name, kind })))
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Try,
    List(list::Kind),
    ZipWith,
    Map(map::Kind),
    Reduce,
    MapZipWith,
    /// `regexp_replace` with a lambda.
    Replace,
    /// `array_sort` with a lambda.
    Sort,
    /// `json_value` with defaults.
    Default,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct LambdaFunction {
    name: &'static str,
    kind: Kind,
}

static SIGNATURE: std::sync::LazyLock<HigherOrderSignature> =
    std::sync::LazyLock::new(|| HigherOrderSignature::user_defined(Volatility::Immutable));

/// A field of what a lambda gets or gives, named by its place.
fn field(name: &str, data_type: &DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type.clone(), true))
}

impl LambdaFunction {
    fn refused(&self, what: &str) -> Failure {
        Failure::new(
            "FUNCTION_NOT_FOUND",
            format!("Unexpected parameters for function {}: {what}", self.name),
        )
    }
}

type Given<'a> = &'a [ValueOrLambda<FieldRef, Option<FieldRef>>];

fn value_types(given: Given<'_>) -> Vec<DataType> {
    given
        .iter()
        .filter_map(|argument| match argument {
            ValueOrLambda::Value(field) => Some(field.data_type().clone()),
            ValueOrLambda::Lambda(_) => None,
        })
        .collect()
}

fn item_of(list: &DataType) -> Option<DataType> {
    match list {
        DataType::List(item) => Some(item.data_type().clone()),
        DataType::Null => Some(DataType::Null),
        _ => None,
    }
}

fn entry_of(map: &DataType) -> Option<(DataType, DataType)> {
    match map {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                Some((fields.first()?.data_type().clone(), fields.get(1)?.data_type().clone()))
            }
            _ => None,
        },
        _ => None,
    }
}

impl HigherOrderUDFImpl for LambdaFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &SIGNATURE
    }

    fn coerce_value_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given
            .iter()
            .map(|kind| match (self.kind, kind) {
                (Kind::List(_) | Kind::ZipWith | Kind::Sort, DataType::Null) => {
                    TrinoType::Array(Box::new(TrinoType::Unknown)).to_arrow()
                }
                (Kind::Replace, DataType::Null) => DataType::Utf8,
                (_, kind) => TrinoType::of_arrow(kind).to_arrow(),
            })
            .collect())
    }

    /// The initial value of `reduce` is of the state's type.
    fn coerce_values_for_lambdas(
        &self,
        given: &[ValueOrLambda<DataType, DataType>],
    ) -> Result<Option<Vec<DataType>>> {
        Ok(match (self.kind, given) {
            (
                Kind::Reduce,
                [
                    ValueOrLambda::Value(list),
                    ValueOrLambda::Value(initial),
                    ValueOrLambda::Lambda(folded),
                    ..,
                ],
            ) => Some(vec![list.clone(), reduce::state(initial, Some(folded))]),
            _ => None,
        })
    }

    fn lambda_parameters(&self, step: usize, given: Given<'_>) -> Result<LambdaParametersProgress> {
        let values = value_types(given);
        let first = values.first();
        Ok(LambdaParametersProgress::Complete(match self.kind {
            Kind::Try => vec![vec![field("row", &DataType::Null)]],
            Kind::List(_) => {
                let item =
                    first.and_then(item_of).ok_or_else(|| self.refused("an array comes first"))?;
                vec![vec![field("item", &item)]]
            }
            Kind::ZipWith => {
                let both: Option<Vec<DataType>> = values.iter().map(item_of).collect();
                match both.as_deref() {
                    Some([left, right]) => vec![vec![field("left", left), field("right", right)]],
                    _ => return Err(self.refused("two arrays come first").into()),
                }
            }
            Kind::Map(_) => {
                let (key, value) =
                    first.and_then(entry_of).ok_or_else(|| self.refused("a map comes first"))?;
                vec![vec![field("key", &key), field("value", &value)]]
            }
            Kind::MapZipWith => {
                let maps: Option<Vec<_>> = values.iter().map(entry_of).collect();
                match maps.as_deref() {
                    Some([(key, left), (_, right)]) => {
                        vec![vec![field("key", key), field("left", left), field("right", right)]]
                    }
                    _ => return Err(self.refused("two maps come first").into()),
                }
            }
            Kind::Replace => {
                if values.len() != 2 || values.iter().any(|kind| *kind != DataType::Utf8) {
                    return Err(self.refused("a text and a pattern come first").into());
                }
                vec![vec![field("groups", &replace::groups())]]
            }
            Kind::Sort => {
                let item =
                    first.and_then(item_of).ok_or_else(|| self.refused("an array comes first"))?;
                vec![vec![field("left", &item), field("right", &item)]]
            }
            Kind::Default => vec![vec![field("row", &DataType::Null)]; 2],
            Kind::Reduce => return reduce::parameters(self.name, step, given),
        }))
    }

    fn return_field_from_args(&self, arguments: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        let lambda = arguments.arg_fields.iter().rev().find_map(|argument| match argument {
            ValueOrLambda::Lambda(field) => Some(field.clone()),
            ValueOrLambda::Value(_) => None,
        });
        let lambda = lambda.ok_or_else(|| self.refused("a lambda is missing"))?;
        let value = arguments.arg_fields.iter().find_map(|argument| match argument {
            ValueOrLambda::Value(field) => Some(field.clone()),
            ValueOrLambda::Lambda(_) => None,
        });
        let kept = || value.clone().ok_or_else(|| self.refused("a value is missing"));
        let array = |item: &FieldRef| {
            let item = Field::new("item", item.data_type().clone(), true)
                .with_metadata(item.metadata().clone());
            DataType::List(Arc::new(item))
        };
        let (data_type, metadata) = match self.kind {
            Kind::Default => default::result(&kept()?)?,
            Kind::Try | Kind::Reduce => (lambda.data_type().clone(), lambda.metadata().clone()),
            Kind::List(list::Kind::Transform) | Kind::ZipWith => {
                (array(&lambda), HashMap::default())
            }
            Kind::Replace => (DataType::Utf8, HashMap::default()),
            Kind::MapZipWith => {
                let values = map::Kind::Values;
                (map::result(values, kept()?.data_type(), lambda.data_type()), HashMap::default())
            }
            Kind::List(list::Kind::Filter) | Kind::Map(map::Kind::Filter) | Kind::Sort => {
                (kept()?.data_type().clone(), HashMap::default())
            }
            Kind::List(_) => (DataType::Boolean, HashMap::default()),
            Kind::Map(kind) => {
                (map::result(kind, kept()?.data_type(), lambda.data_type()), HashMap::default())
            }
        };
        Ok(Arc::new(Field::new(self.name, data_type, true).with_metadata(metadata)))
    }

    fn clear_null_values(&self) -> bool {
        true
    }

    fn short_circuits(&self) -> bool {
        matches!(self.kind, Kind::Try | Kind::Default)
    }

    fn invoke_with_args(&self, arguments: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let mut values = Vec::new();
        let mut lambdas = Vec::new();
        for argument in &arguments.args {
            match argument {
                ValueOrLambda::Value(value) => values.push(value.to_array(rows)?),
                ValueOrLambda::Lambda(lambda) => lambdas.push(lambda),
            }
        }
        let result = arguments.return_type();
        let array = match self.kind {
            Kind::Default => default::run(&values[0], &values[1], lambdas[0], lambdas[1])?,
            Kind::Try => trying::run(lambdas[0], rows, result)?,
            Kind::List(kind) => list::run(kind, &values[0], lambdas[0], result)?,
            Kind::ZipWith => list::zip_with(&values[0], &values[1], lambdas[0], result)?,
            Kind::MapZipWith => map::zip_with(&values[0], &values[1], lambdas[0], result)?,
            Kind::Replace => replace::run(&values[0], &values[1], lambdas[0])?,
            Kind::Sort => sort::run(&values[0], lambdas[0], result)?,
            Kind::Map(kind) => map::run(kind, &values[0], lambdas[0], result)?,
            Kind::Reduce => reduce::run(&values[0], &values[1], lambdas[0], lambdas[1], result)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// Evaluates a lambda for `count` rows; `origin` says which outer row each belongs to.
fn evaluate(
    lambda: &LambdaArgument,
    parameters: &[ArrayRef],
    origin: &UInt32Array,
    count: usize,
) -> Result<ArrayRef> {
    let closures: Vec<_> = parameters.iter().map(|array| move || Ok(array.clone())).collect();
    let closures: Vec<&dyn Fn() -> Result<ArrayRef>> =
        closures.iter().map(|closure| closure as &dyn Fn() -> Result<ArrayRef>).collect();
    lambda
        .evaluate(&closures, |captured| Ok(take_arrays(captured, origin, None)?))?
        .into_array(count)
}

/// The outer row of each of the items of lists with these bounds.
fn origins(bounds: &[(usize, usize)]) -> UInt32Array {
    bounds
        .iter()
        .enumerate()
        .flat_map(|(row, (start, end))| {
            std::iter::repeat_n(u32::try_from(row).unwrap_or(u32::MAX), end - start)
        })
        .collect()
}

/// Where each row's items begin and end, those of NULL rows nowhere.
fn bounds_of(offsets: &[i32], array: &dyn Array) -> Vec<(usize, usize)> {
    offsets
        .windows(2)
        .enumerate()
        .map(|(row, pair)| {
            let (start, end) =
                (usize::try_from(pair[0]).unwrap_or(0), usize::try_from(pair[1]).unwrap_or(0));
            if array.is_null(row) { (start, start) } else { (start, end) }
        })
        .collect()
}

/// The places of the items within bounds.
fn places(bounds: &[(usize, usize)]) -> UInt32Array {
    bounds
        .iter()
        .flat_map(|(start, end)| (*start..*end).map(|at| u32::try_from(at).unwrap_or(u32::MAX)))
        .collect()
}
