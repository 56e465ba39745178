//! Types read from their texts, Trino's `array(bigint)` and Hive's `array<bigint>` alike.

use super::TrinoType;

/// The type a text is of; `None` when it is of none.
pub(super) fn read(text: &str) -> Option<TrinoType> {
    let mut reader = Reader { rest: text.trim() };
    let found = reader.read()?;
    reader.rest.trim().is_empty().then_some(found)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn word(&mut self) -> String {
        self.rest = self.rest.trim_start();
        if let Some(quoted) = self.rest.strip_prefix('"')
            && let Some(end) = quoted.find('"')
        {
            let word = quoted[..end].to_owned();
            self.rest = &quoted[end + 1..];
            return word;
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(self.rest.len());
        let word = self.rest[..end].to_lowercase();
        self.rest = &self.rest[end..];
        word
    }

    fn symbol(&mut self, symbols: &[char]) -> bool {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with(symbols) {
            self.rest = &self.rest[1..];
            true
        } else {
            false
        }
    }

    fn words(&mut self, words: &[&str]) -> bool {
        let before = self.rest;
        for word in words {
            if self.word() != *word {
                self.rest = before;
                return false;
            }
        }
        true
    }

    fn number(&mut self) -> Option<u32> {
        self.symbol(&['(']).then_some(())?;
        let number = self.word().parse().ok()?;
        self.symbol(&[')']).then_some(())?;
        Some(number)
    }

    fn precision(&mut self) -> Option<u8> {
        if self.rest.trim_start().starts_with('(') {
            u8::try_from(self.number()?).ok().filter(|p| *p <= 12)
        } else {
            Some(3)
        }
    }

    fn read(&mut self) -> Option<TrinoType> {
        let word = self.word();
        Some(match word.as_str() {
            "boolean" => TrinoType::Boolean,
            "tinyint" => TrinoType::Tinyint,
            "smallint" => TrinoType::Smallint,
            "int" | "integer" => TrinoType::Integer,
            "bigint" => TrinoType::Bigint,
            "real" | "float" => TrinoType::Real,
            "double" => {
                self.words(&["precision"]);
                TrinoType::Double
            }
            "decimal" | "numeric" | "dec" => self.decimal()?,
            "varchar" if self.rest.trim_start().starts_with('(') => {
                TrinoType::Varchar(Some(self.number()?))
            }
            "varchar" | "string" => TrinoType::Varchar(None),
            "char" if self.rest.trim_start().starts_with('(') => TrinoType::Char(self.number()?),
            "char" => TrinoType::Char(1),
            "varbinary" | "binary" => TrinoType::Varbinary,
            "date" => TrinoType::Date,
            "time" => {
                let precision = self.precision()?;
                if self.words(&["with", "time", "zone"]) {
                    TrinoType::TimeWithZone(precision)
                } else {
                    self.words(&["without", "time", "zone"]);
                    TrinoType::Time(precision)
                }
            }
            "timestamp" => {
                let precision = self.precision()?;
                if self.words(&["with", "time", "zone"]) {
                    TrinoType::TimestampWithZone(precision)
                } else {
                    self.words(&["without", "time", "zone"]);
                    TrinoType::Timestamp(precision)
                }
            }
            "interval" if self.words(&["year", "to", "month"]) => TrinoType::IntervalYearMonth,
            "interval" if self.words(&["day", "to", "second"]) => TrinoType::IntervalDaySecond,
            "json" => TrinoType::Json,
            "uuid" => TrinoType::Uuid,
            "ipaddress" => TrinoType::IpAddress,
            "unknown" => TrinoType::Unknown,
            "array" => {
                self.symbol(&['(', '<']).then_some(())?;
                let item = self.read()?;
                self.symbol(&[')', '>']).then_some(())?;
                TrinoType::Array(Box::new(item))
            }
            "map" => {
                self.symbol(&['(', '<']).then_some(())?;
                let key = self.read()?;
                self.symbol(&[',']).then_some(())?;
                let value = self.read()?;
                self.symbol(&[')', '>']).then_some(())?;
                TrinoType::Map(Box::new(key), Box::new(value))
            }
            "row" | "struct" => self.row()?,
            _ => return None,
        })
    }

    fn decimal(&mut self) -> Option<TrinoType> {
        if !self.symbol(&['(']) {
            return Some(TrinoType::Decimal(38, 0));
        }
        let precision: u8 = self.word().parse().ok().filter(|p| (1..=38).contains(p))?;
        let scale = if self.symbol(&[',']) { self.word().parse::<i8>().ok()? } else { 0 };
        self.symbol(&[')']).then_some(())?;
        (scale >= 0 && i16::from(scale) <= i16::from(precision))
            .then_some(TrinoType::Decimal(precision, scale))
    }

    fn row(&mut self) -> Option<TrinoType> {
        self.symbol(&['(', '<']).then_some(())?;
        let mut fields = Vec::new();
        loop {
            let before = self.rest;
            // `name type`, `name:type`, or a type alone.
            let name = self.word();
            self.symbol(&[':']);
            if let Some(kind) = self.read() {
                fields.push((Some(name), kind));
            } else {
                self.rest = before;
                fields.push((None, self.read()?));
            }
            if !self.symbol(&[',']) {
                break;
            }
        }
        self.symbol(&[')', '>']).then_some(())?;
        Some(TrinoType::Row(fields))
    }
}
