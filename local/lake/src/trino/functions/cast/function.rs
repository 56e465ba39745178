//! `$cast(value, 'type')`, `$try_cast` and `$literal('text', 'type')`.
#![expect(clippy::match_same_arms, reason = "one arm a line of the user guide's tables")]

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};

use super::{OnFailure, cast_in_zone};
use crate::moment::{read_clock, read_timestamp};
use crate::sql::{Failure, TrinoType, field_of};
use crate::trino::functions::call::{first, session_zone};
use crate::trino::functions::function::planned_signature;
use crate::trino::functions::json::{can_cast_from_json, can_cast_to_json};

pub(in crate::trino) fn functions() -> Vec<Arc<ScalarUDF>> {
    [
        CastFunction { name: "$cast", on_failure: OnFailure::Fail, literal: false },
        CastFunction { name: "$try_cast", on_failure: OnFailure::Null, literal: false },
        CastFunction { name: "$literal", on_failure: OnFailure::Fail, literal: true },
    ]
    .into_iter()
    .map(|function| Arc::new(ScalarUDF::new_from_impl(function)))
    .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CastFunction {
    name: &'static str,
    on_failure: OnFailure,
    /// Whether the value is the text of a typed literal.
    literal: bool,
}

/// The types a cast may name. Hive's own words are not Trino's.
pub(in crate::trino::functions) fn type_named(text: &str) -> Result<TrinoType, Failure> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let hive = ["string", "binary", "struct", "float"];
    let foreign = words.into_iter().any(|word| hive.contains(&word.to_lowercase().as_str()));
    TrinoType::parse(text).filter(|_| !foreign).ok_or_else(|| {
        Failure::new("TYPE_NOT_FOUND", format!("Unknown type: {}", text.to_lowercase()))
    })
}

/// The type of a literal, `None` when it is none.
pub(in crate::trino) fn literal_type(type_text: &str, value: &str) -> Option<TrinoType> {
    literal_target(type_text, value).ok()
}

/// The type of a literal follows its text: the digits of a timestamp's fraction.
fn literal_target(type_text: &str, value: &str) -> Result<TrinoType, Failure> {
    let kind = type_named(type_text)?;
    if type_text.contains('(') {
        return Ok(kind);
    }
    Ok(match kind {
        TrinoType::Timestamp(_) => match read_timestamp(value) {
            Some(found) if found.zone.is_some() => TrinoType::TimestampWithZone(found.precision),
            Some(found) => TrinoType::Timestamp(found.precision),
            None => return Err(no_literal(value, &kind)),
        },
        TrinoType::Time(_) => match read_clock(value) {
            Some((_, precision, true)) => TrinoType::TimeWithZone(precision),
            Some((_, precision, false)) => TrinoType::Time(precision),
            None => return Err(no_literal(value, &kind)),
        },
        TrinoType::Decimal(..) => decimal_type(value)?,
        TrinoType::Char(_) => {
            TrinoType::Char(u32::try_from(value.chars().count()).unwrap_or(u32::MAX))
        }
        other => other,
    })
}

impl CastFunction {
    fn planned(&self, scalars: &[Option<&ScalarValue>]) -> Result<TrinoType, Failure> {
        let text =
            |at: usize| scalars.get(at).copied().flatten().and_then(|v| v.try_as_str().flatten());
        let kind = text(1).ok_or_else(|| Failure::type_mismatch("a cast needs a type"))?;
        if self.literal {
            return literal_target(kind, text(0).unwrap_or_default());
        }
        type_named(kind)
    }
}

/// The refusal of a literal's text.
fn no_literal(text: &str, kind: &TrinoType) -> Failure {
    let name = match kind {
        TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_) => "TIMESTAMP".to_owned(),
        TrinoType::Time(_) | TrinoType::TimeWithZone(_) => "TIME".to_owned(),
        other => other.to_string().to_uppercase(),
    };
    Failure::new("INVALID_LITERAL", format!("'{text}' is not a valid {name} literal"))
}

/// `DECIMAL '010.50'` is decimal(5,2): leading zeros count, as in Trino's literals.
fn decimal_type(text: &str) -> Result<TrinoType, Failure> {
    let digits = text.trim().trim_start_matches(['-', '+']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0').len();
    let precision = (whole + fraction.len()).max(1);
    match (u8::try_from(precision), i8::try_from(fraction.len())) {
        (Ok(precision @ 1..=38), Ok(scale)) => Ok(TrinoType::Decimal(precision, scale)),
        _ => {
            Err(Failure::new("INVALID_LITERAL", format!("'{text}' is not a valid decimal literal")))
        }
    }
}

impl ScalarUDFImpl for CastFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        planned_signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Err(Failure::type_mismatch("a cast is planned from its type's text").into())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let to = self.planned(arguments.scalar_arguments)?;
        let from = TrinoType::of_field(&arguments.arg_fields[0]);
        check(&from, &to)?;
        Ok(Arc::new(field_of(self.name, &to)))
    }

    fn simplify(
        &self,
        mut arguments: Vec<Expr>,
        info: &SimplifyContext,
    ) -> Result<ExprSimplifyResult> {
        if self.literal {
            return Ok(ExprSimplifyResult::Original(arguments));
        }
        let (_, field) = arguments[0].to_field(info.schema().as_ref())?;
        let from = TrinoType::of_field(&field);
        let kind = match &arguments[1] {
            Expr::Literal(value, _) => value.try_as_str().flatten().map(str::to_owned),
            _ => None,
        };
        let Some(kind) = kind else { return Ok(ExprSimplifyResult::Original(arguments)) };
        let to = type_named(&kind)?;
        if from == to && !matches!(to, TrinoType::Varchar(Some(_)) | TrinoType::Char(_)) {
            return Ok(ExprSimplifyResult::Simplified(arguments.swap_remove(0)));
        }
        if is_lossless(&from, &to) {
            let value = arguments.swap_remove(0);
            return Ok(ExprSimplifyResult::Simplified(Expr::Cast(Cast::new(
                Box::new(value),
                to.to_arrow(),
            ))));
        }
        Ok(ExprSimplifyResult::Original(arguments))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let from = TrinoType::of_field(&arguments.arg_fields[0]);
        let to = TrinoType::of_field(&arguments.return_field);
        let zone = session_zone(&arguments.config_options);
        let cast = |array: &ArrayRef| cast_in_zone(array, &from, &to, self.on_failure, zone);
        match &arguments.args[0] {
            ColumnarValue::Scalar(value) => {
                let array = cast(&value.to_array()?).map_err(|error| {
                    let text = value.try_as_str().flatten().unwrap_or_default();
                    if self.literal { no_literal(text, &to).into() } else { error }
                })?;
                Ok(ColumnarValue::Scalar(first(&array)?))
            }
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(cast(array)?)),
        }
    }
}

/// Casts that DataFusion does as Trino would, and may look through while planning.
fn is_lossless(from: &TrinoType, to: &TrinoType) -> bool {
    use TrinoType::{Bigint, Date, Double, Integer, Real, Smallint, Timestamp, Tinyint};
    matches!(
        (from, to),
        (Tinyint, Smallint | Integer | Bigint | Double | Real)
            | (Smallint, Integer | Bigint | Double | Real)
            | (Integer, Bigint | Double)
            | (Bigint | Real, Double)
            | (Date, Timestamp(3))
    )
}

/// Whether Trino casts the one type to the other.
pub(in crate::trino::functions) fn is_castable(from: &TrinoType, to: &TrinoType) -> bool {
    check(from, to).is_ok()
}

/// Refuses casts between types that have nothing to do with each other.
fn check(from: &TrinoType, to: &TrinoType) -> Result<(), Failure> {
    use TrinoType::{
        Array, Boolean, Char, Date, IpAddress, Json, Map, Row, Unknown, Uuid, Varbinary, Varchar,
    };
    let possible = match (from, to) {
        (from, to) if from == to => true,
        (Unknown, _) => true,
        (Json, to) => can_cast_from_json(to),
        (from, Json) => can_cast_to_json(from),
        (Varchar(_), Varbinary) => true,
        (Varbinary, Uuid | IpAddress) | (Uuid | IpAddress, Varbinary) => true,
        (Varbinary, _) | (_, Varbinary) => false,
        (Varchar(_) | Char(_), Array(_) | Map(..) | Row(_))
        | (Array(_) | Map(..) | Row(_), Varchar(_) | Char(_)) => false,
        (_, Varchar(_) | Char(_)) | (Varchar(_) | Char(_), _) => true,
        (from, to) if from.is_numeric() || *from == Boolean => to.is_numeric() || *to == Boolean,
        (Date, to) if to.is_moment() => true,
        (from, Date) if from.is_moment() => true,
        (from, to) if from.is_moment() || from.is_time() => {
            *from != Date && *to != Date && (to.is_moment() || to.is_time())
        }
        (Array(from), Array(to)) => return check(from, to),
        (Map(key, value), Map(to_key, to_value)) => {
            check(key, to_key)?;
            return check(value, to_value);
        }
        (Row(from), Row(to)) if from.len() == to.len() => {
            return from.iter().zip(to).try_for_each(|(from, to)| check(&from.1, &to.1));
        }
        _ => false,
    };
    if possible {
        Ok(())
    } else {
        Err(Failure::type_mismatch(format!("Cannot cast {from} to {to}")))
    }
}
