//! Files of one month that differ: what the source has, and what a reader must see of it.

use std::path::Path;

use bytes::Bytes;
use runner::sample::{self, SampleFile};
use runner::tlc::TripFile;

/// One content of the month's file.
#[derive(Clone, Debug)]
pub struct Content {
    /// A letter, for the trace.
    pub name: char,
    pub bytes: Bytes,
    /// Rows of the file.
    pub rows: u64,
    /// Of those, rows that break a rule.
    pub broken: u64,
    /// The sum of `pulocationid` over the rows that break none.
    pub zones: i64,
}

/// The file of every content, of the data set with the fewest columns: what is planned and read is not the point.
pub const FILE: &str = "fhv_tripdata_2019-04.csv";
pub const DATASET: &str = "fhv";
pub const MONTH: &str = "2019-04";

/// Rows of the first content; each later one has some more.
const ROWS: u64 = 24;

/// Contents that all differ in their number of rows, in the rows that are rejected, and in their sum.
pub fn contents(count: u8, folder: &Path) -> Vec<Content> {
    (0..count).map(|index| content(index, u64::from(index) + 1, folder)).collect()
}

/// A content of which more rows are broken than the data set's contract accepts.
pub fn spoiled(folder: &Path) -> Content {
    content(0, ROWS * 3 / 4, folder)
}

fn content(index: u8, broken: u64, folder: &Path) -> Content {
    let file = TripFile::from_name(FILE).expect("a name of the TLC's");
    let rows = ROWS + 7 * u64::from(index);
    let path = folder.join(format!("{index}.csv"));
    sample::write(SampleFile { file, rows }, &path).expect("a sample of a few rows");
    let text = std::fs::read_to_string(&path).expect("it was just written");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let header: Vec<&str> = lines[0].split(',').collect();
    let column = |name: &str| {
        let found = header.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| panic!("{FILE} has no column {name}"))
    };
    let (pickup, dropoff) = (column("pickup_datetime"), column("dropoff_datetime"));
    let zone = column("PUlocationID");
    let is_row = |line: &String| !line.trim().is_empty();
    let rows = lines.iter().skip(1).filter(|line| is_row(line)).count() as u64;
    // Every line gets a zone by its number, and some an impossible time.
    let (mut zones, mut number) = (0, 0);
    for line in lines.iter_mut().skip(1).filter(|line| is_row(line)) {
        let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        let there =
            1 + (13 * i64::try_from(number).expect("few rows") + 50 * i64::from(index)) % 260;
        fields[zone] = there.to_string();
        // One before the pickup would break a rule.
        fields[dropoff].clear();
        if number < broken {
            "2019-04-31 25:61:00".clone_into(&mut fields[pickup]);
        } else {
            zones += there;
        }
        *line = fields.join(",");
        number += 1;
    }
    let name = char::from(b'A' + index);
    Content { name, bytes: (lines.join("\n") + "\n").into(), rows, broken, zones }
}
