//! How often what is wrong with the TLC's files is wrong, as measured on the originals.
use crate::tlc::{Dataset, Month};

/// Rows with each defect in a measured month of `rows` rows.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pub rows: u64,
    pub out_of_month: u64,
    pub dropoff_before_pickup: u64,
    pub day_or_longer: u64,
    pub negative: u64,
    /// How many of a hundred negative rows repeat a positive one with all money negated.
    pub voids_percent: u64,
    pub zero_distance: u64,
    pub over_100_miles: u64,
    /// The block of columns that are null together.
    pub null_block: u64,
    pub no_passengers: u64,
    pub unknown_zone: u64,
}

type Row = (i16, i8, [u64; 11]);

/// Green originals, measured whole: rows, out of month, dropoff before pickup, a
/// day or longer, negative, voids %, zero distance, over 100 miles, null
/// block, no passengers, zone 264 or 265.
const GREEN: [Row; 9] = [
    (2022, 1, [62_495, 4, 0, 80, 209, 97, 3_593, 65, 6_295, 214, 758]),
    (2022, 3, [78_537, 24, 0, 107, 210, 97, 4_394, 71, 8_065, 313, 1_050]),
    (2023, 1, [68_211, 4, 0, 74, 176, 97, 3_350, 37, 4_324, 336, 712]),
    (2023, 2, [64_809, 26, 0, 67, 183, 97, 2_857, 40, 4_821, 370, 661]),
    (2024, 1, [56_551, 2, 0, 63, 182, 97, 2_870, 46, 3_415, 512, 643]),
    (2025, 1, [48_326, 43, 0, 57, 150, 97, 2_671, 22, 1_836, 647, 630]),
    (2025, 2, [46_621, 19, 210, 65, 162, 97, 2_377, 19, 2_517, 592, 637]),
    (2025, 3, [51_539, 11, 308, 77, 155, 97, 2_765, 17, 3_549, 609, 744]),
    (2025, 11, [46_912, 21, 3, 61, 142, 97, 1_494, 21, 5_569, 612, 659]),
];

/// Yellow: a sample of 2019-03, the counts known of 2022-01 and 2025-01 filled
/// up with the shares of 2026.
const YELLOW: [Row; 4] = [
    (2019, 3, [10_000, 1, 0, 16, 13, 95, 62, 1, 0, 199, 141]),
    (2022, 1, [2_463_931, 52, 1_353, 3_400, 13_059, 86, 39_400, 101, 71_503, 52_000, 19_700]),
    (2025, 1, [3_475_226, 22, 124, 3_100, 18_419, 68, 90_700, 143, 540_149, 24_600, 31_300]),
    (
        2026,
        1,
        [29_700_000, 146, 10, 5_900, 157_410, 68, 953_370, 1_223, 7_716_060, 92_070, 267_300],
    ),
];

/// Bases send times and zones only; no measured month is at hand.
const BASES: Row = (2015, 1, [1_000_000, 10, 60, 200, 0, 0, 900, 2, 0, 0, 2_000]);

impl Rates {
    /// Those of the newest measured month that is not after this one.
    pub fn of(dataset: Dataset, month: Month) -> Self {
        let measured: &[Row] = match dataset {
            Dataset::Yellow => &YELLOW,
            Dataset::Green => &GREEN,
            Dataset::Fhv | Dataset::Fhvhv => std::slice::from_ref(&BASES),
        };
        let known = |(year, number, _): &&Row| {
            Month::new(*year, *number).is_some_and(|known| known <= month)
        };
        let (_, _, counts) = measured.iter().rev().find(known).unwrap_or(&measured[0]);
        let &[
            rows,
            out_of_month,
            dropoff_before_pickup,
            day_or_longer,
            negative,
            voids_percent,
            zero_distance,
            over_100_miles,
            null_block,
            no_passengers,
            unknown_zone,
        ] = counts;
        Self {
            rows,
            out_of_month,
            dropoff_before_pickup,
            day_or_longer,
            negative,
            voids_percent,
            zero_distance,
            over_100_miles,
            null_block,
            no_passengers,
            unknown_zone,
        }
    }
}
