//! A month as the TLC wrote CSV: CRLF, no leading zero before a distance's point,
//! amounts without trailing zeros.
use std::io::{self, Write};

use super::field::{Field, Value};
use super::layout::Layout;
use super::trip::Trip;

pub fn write(
    out: &mut impl Write,
    layout: &Layout,
    trips: impl Iterator<Item = Trip>,
) -> io::Result<()> {
    let mut line = String::new();
    for (index, column) in layout.columns.iter().enumerate() {
        separate(&mut line, index);
        quote(&mut line, layout.quoted, |line| line.push_str(column.name));
    }
    line.push_str("\r\n");
    if layout.blank_second_line {
        line.push_str("\r\n");
    }
    out.write_all(line.as_bytes())?;
    for trip in trips {
        line.clear();
        for (index, column) in layout.columns.iter().enumerate() {
            separate(&mut line, index);
            quote(&mut line, layout.quoted, |line| {
                push(line, column.field, &column.field.value(&trip), layout.long_decimals);
            });
        }
        line.extend(std::iter::repeat_n(',', layout.surplus_fields));
        line.push_str("\r\n");
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

fn separate(line: &mut String, index: usize) {
    if index > 0 {
        line.push(',');
    }
}

fn quote(line: &mut String, quoted: bool, value: impl FnOnce(&mut String)) {
    if quoted {
        line.push('"');
    }
    value(line);
    if quoted {
        line.push('"');
    }
}

fn push(line: &mut String, field: Field, value: &Value, long_decimals: bool) {
    use std::fmt::Write as _;
    const STRING: &str = "a String takes every write";
    match *value {
        Value::Null => {}
        Value::Int(number) => write!(line, "{number}").expect(STRING),
        Value::Word(word) => line.push_str(word),
        Value::Base(number) => write!(line, "B{number:05}").expect(STRING),
        Value::Hundredths(hundredths) if long_decimals => {
            line.push_str(&seventeen_digits(hundredths));
        }
        Value::Hundredths(hundredths) if field == Field::Distance => {
            let (whole, part) = (hundredths / 100, hundredths % 100);
            if whole > 0 {
                write!(line, "{whole}").expect(STRING);
            }
            write!(line, ".{part:02}").expect(STRING);
        }
        Value::Hundredths(hundredths) => push_amount(line, hundredths),
        Value::Degrees(millionths) => {
            let sign = if millionths < 0 { "-" } else { "" };
            let (whole, part) = (millionths.abs() / 1_000_000, millionths.abs() % 1_000_000);
            write!(line, "{sign}{whole}.{part:06}").expect(STRING);
        }
        Value::Seconds(seconds) => {
            let time = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
                + jiff::SignedDuration::from_secs(seconds);
            write!(
                line,
                "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
                time.year(),
                time.month(),
                time.day(),
                time.hour(),
                time.minute(),
                time.second()
            )
            .expect(STRING);
        }
    }
}

/// `2.5`, `0`, `-13.86`.
fn push_amount(line: &mut String, hundredths: i64) {
    use std::fmt::Write as _;
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, part) = (hundredths.abs() / 100, hundredths.abs() % 100);
    let point = match part {
        0 => String::new(),
        part if part % 10 == 0 => format!(".{}", part / 10),
        part => format!(".{part:02}"),
    };
    write!(line, "{sign}{whole}{point}").expect("a String takes every write");
}

/// A decimal as C's `%.17g` shows it, the way of 2009.
fn seventeen_digits(hundredths: i64) -> String {
    let whole_digits = (hundredths.abs() / 100).to_string().len();
    // A leading zero is no significant digit.
    let decimals = if hundredths.abs() < 100 { 17 } else { 17 - whole_digits };
    let long = format!("{:.decimals$}", as_float(hundredths));
    long.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "amounts and distances stay far below 2^53")]
pub fn as_float(hundredths: i64) -> f64 {
    hundredths as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_the_tlc_wrote_them() {
        for (hundredths, expected) in
            [(0, "0"), (250, "2.5"), (6_066, "60.66"), (-1_305, "-13.05"), (30, "0.3")]
        {
            let mut line = String::new();
            push_amount(&mut line, hundredths);
            assert_eq!(line, expected);
        }
        for (hundredths, expected) in [(0, ".00"), (70, ".70"), (1_410, "14.10")] {
            let mut line = String::new();
            push(&mut line, Field::Distance, &Value::Hundredths(hundredths), false);
            assert_eq!(line, expected);
        }
        // As in the head of the TLC's 2009-01.
        for (hundredths, expected) in [
            (263, "2.6299999999999999"),
            (940, "9.4000000000000004"),
            (1_210, "12.1"),
            (50, "0.5"),
            (200, "2"),
        ] {
            assert_eq!(seventeen_digits(hundredths), expected);
        }
    }
}
