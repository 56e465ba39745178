//! A month's trips, one after the other: where, when, how far, and what is wrong with them.
use super::random::{Due, Random};
use super::rates::Rates;
use super::tariff::{Ride, Tariff};
use super::trip::{Meter, Trip};
use super::zones::{Share, ZONES};
use crate::tlc::{Dataset, Month};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Pickups per mille by hour of day (green 2024-01, yellow 2019-03).
const GREEN_HOURS: [u64; 24] =
    [18, 14, 9, 7, 6, 6, 15, 40, 49, 54, 53, 54, 54, 58, 64, 73, 76, 81, 77, 62, 46, 34, 28, 23];
const YELLOW_HOURS: [u64; 24] =
    [29, 19, 15, 10, 8, 8, 21, 34, 45, 47, 45, 50, 52, 52, 55, 55, 54, 58, 64, 63, 62, 56, 53, 44];
/// Distances by quantile, (per mille, hundredths of a mile).
const GREEN_MILES: [(i64, i64); 13] = [
    (0, 5),
    (10, 11),
    (50, 57),
    (200, 107),
    (400, 155),
    (500, 187),
    (700, 280),
    (800, 370),
    (900, 574),
    (950, 790),
    (980, 1_168),
    (995, 1_830),
    (1000, 3_500),
];
const YELLOW_MILES: [(i64, i64); 13] = [
    (0, 10),
    (10, 29),
    (50, 50),
    (200, 86),
    (400, 133),
    (500, 162),
    (700, 260),
    (800, 367),
    (900, 690),
    (950, 1_130),
    (980, 1_767),
    (995, 2_035),
    (1000, 3_000),
];
/// Speeds by quantile, (per mille, tenths of a mile per hour).
const SPEEDS: [(i64, i64); 8] =
    [(0, 30), (50, 55), (100, 63), (300, 85), (500, 101), (700, 125), (900, 185), (1000, 320)];

/// The rows that carry each defect.
#[derive(Debug)]
struct Defects {
    out_of_month: Due,
    dropoff_before_pickup: Due,
    day_or_longer: Due,
    negative: Due,
    zero_distance: Due,
    over_100_miles: Due,
    null_block: Due,
    no_passengers: Due,
    unknown_zone: Due,
}

/// An iterator over the trips of one file; the same for the same file and length.
#[derive(Debug)]
pub struct Trips {
    dataset: Dataset,
    month: Month,
    tariff: Tariff,
    rates: Rates,
    random: Random,
    defects: Defects,
    row: u64,
    rows: u64,
    /// Running totals of the pickups by hour of the month.
    hours: Vec<u64>,
    hour: usize,
    start: i64,
    void: Option<Trip>,
}

impl Trips {
    pub fn new(dataset: Dataset, month: Month, rows: u64) -> Self {
        let mut random = Random::from_text(&format!("{dataset} {month} {rows}"));
        let rates = Rates::of(dataset, month);
        let mut due = |count| Due::new(&mut random, count, rates.rows, rows);
        let defects = Defects {
            out_of_month: due(rates.out_of_month),
            dropoff_before_pickup: due(rates.dropoff_before_pickup),
            day_or_longer: due(rates.day_or_longer),
            negative: due(rates.negative),
            zero_distance: due(rates.zero_distance),
            over_100_miles: due(rates.over_100_miles),
            null_block: due(rates.null_block),
            no_passengers: due(rates.no_passengers),
            unknown_zone: due(rates.unknown_zone),
        };
        let first = month.first_day();
        let start = first.duration_since(jiff::civil::date(1970, 1, 1)).as_secs();
        let by_hour = if dataset == Dataset::Green { GREEN_HOURS } else { YELLOW_HOURS };
        let mut total = 0;
        let hours = (0..i64::from(first.days_in_month()) * 24).map(|hour| {
            let weekday = (weekday(start) + hour / 24) % 7;
            let busy =
                [100, 105, 110, 112, 115, 110, 92][usize::try_from(weekday).expect("0 to 6")];
            total += by_hour[usize::try_from(hour % 24).expect("0 to 23")] * busy;
            total
        });
        let hours = hours.collect();
        let tariff = Tariff::of(dataset, month);
        Self {
            dataset,
            month,
            tariff,
            rates,
            random,
            defects,
            row: 0,
            rows,
            hours,
            hour: 0,
            start,
            void: None,
        }
    }

    /// Pickups follow the hours of the day and are in order but for the hour they are in.
    fn pickup(&mut self) -> i64 {
        let total = u128::from(self.hours[self.hours.len() - 1]);
        let at = u128::from(self.row) * total / u128::from(self.rows);
        while u128::from(self.hours[self.hour]) <= at {
            self.hour += 1;
        }
        let hour = i64::try_from(self.hour).expect("at most 744");
        self.start + hour * HOUR + self.random.between(0, HOUR - 1)
    }

    fn vendor(&mut self) -> i64 {
        let since = |year, month| Month::new(year, month).is_some_and(|start| self.month >= start);
        let weights: &[(u64, i64)] = match self.dataset {
            Dataset::Green if since(2025, 2) => &[(820, 2), (130, 1), (50, 6)],
            Dataset::Green => &[(870, 2), (130, 1)],
            Dataset::Yellow if since(2025, 1) => &[(785, 2), (200, 1), (15, 7)],
            Dataset::Yellow if since(2020, 1) => &[(750, 2), (249, 1), (1, 6)],
            Dataset::Yellow => &[(614, 2), (380, 1), (6, 4)],
            // Base numbers B00001… and the licences HV0003 (Uber) and HV0005 (Lyft).
            Dataset::Fhv => &[(1, 9), (2, 14), (1, 53), (3, 112), (2, 256), (1, 310)],
            Dataset::Fhvhv => &[(740, 3), (260, 5)],
        };
        self.random.pick(weights)
    }

    fn sound_trip(&mut self) -> Trip {
        let pickup = self.pickup();
        let (from, to, miles) = match self.dataset {
            Dataset::Green => (Share::GreenFrom, Share::GreenTo, &GREEN_MILES),
            _ => (Share::YellowFrom, Share::YellowTo, &YELLOW_MILES),
        };
        let vendor = self.vendor();
        let random = &mut self.random;
        let distance = random.quantile(miles);
        let speed = random.quantile(&SPEEDS);
        let payment: i64 = random.pick(&[(715, 1), (272, 2), (9, 3), (4, 4)]);
        let ride = Ride {
            distance,
            seconds: 30 + distance * 360 / speed,
            from: ZONES.draw(random, from),
            to: ZONES.draw(random, to),
            hour: pickup.rem_euclid(DAY) / HOUR,
            weekend: weekday(pickup) >= 5,
            vendor,
            by_card: payment == 1,
        };
        let meter = Meter {
            passengers: random.pick(&[(715, 1), (140, 2), (40, 3), (22, 4), (48, 5), (35, 6)]),
            rate_code: Tariff::rate_code(random, &ride),
            store_and_forward: random.chance(4),
            dispatched: self.dataset == Dataset::Green && random.chance(30),
        };
        let money = self.tariff.charge(random, &ride, meter);
        Trip {
            vendor,
            pickup,
            dropoff: pickup + ride.seconds,
            distance,
            pickup_zone: ride.from,
            dropoff_zone: ride.to,
            payment: Some(payment),
            money,
            meter: Some(meter),
        }
    }

    /// What any trip may lack besides.
    fn withhold(&mut self, trip: &mut Trip) {
        let (defects, random) = (&mut self.defects, &mut self.random);
        if defects.unknown_zone.take(random, self.row) {
            let unknown = if random.chance(650) { 264 } else { 265 };
            trip.dropoff_zone = unknown;
            if unknown == 264 {
                trip.pickup_zone = unknown;
            }
        }
        if defects.null_block.take(random, self.row) {
            trip.meter = None;
            // Yellow says 0 (Flex Fare) there, green nothing.
            trip.payment = (self.dataset == Dataset::Yellow).then_some(0);
        } else if let Some(meter) = &mut trip.meter
            && defects.no_passengers.take(random, self.row)
        {
            meter.passengers = 0;
        }
    }

    /// At most one of what makes a trip impossible; the others wait for the next row.
    fn distort(&mut self, trip: &mut Trip) {
        let (defects, random, row) = (&mut self.defects, &mut self.random, self.row);
        if defects.dropoff_before_pickup.take(random, row) {
            trip.dropoff = trip.pickup - random.between(1, 55 * 60);
        } else if defects.out_of_month.take(random, row) {
            let days = i64::try_from(self.hours.len() / 24).expect("at most 31");
            let to = match random.below(8) {
                0 => 1_230_768_000 + random.between(0, 1_800),
                1 | 2 => self.start + days * DAY + random.between(0, 4 * HOUR),
                _ => self.start - random.between(1, 6 * HOUR),
            };
            trip.dropoff += to - trip.pickup;
            trip.pickup = to;
        } else if defects.day_or_longer.take(random, row) {
            trip.dropoff = trip.pickup + DAY + random.between(0, 7_200);
        } else if defects.over_100_miles.take(random, row) {
            trip.distance = random.between(10_001, 20_000_000);
        } else if defects.zero_distance.take(random, row) {
            trip.distance = 0;
        } else if defects.negative.take(random, row) {
            self.reverse(trip);
        }
    }

    /// Most negative rows undo the row before them; of the others some only have
    /// their fare negated.
    fn reverse(&mut self, trip: &mut Trip) {
        let paired = self.random.below(100) < self.rates.voids_percent;
        if paired && self.row + 1 < self.rows {
            self.void = Some(trip.voided());
        } else if trip.payment == Some(0) {
            trip.money.fare = -trip.money.fare;
        } else {
            trip.money = trip.money.negated();
        }
    }
}

impl Iterator for Trips {
    type Item = Trip;

    fn next(&mut self) -> Option<Trip> {
        if self.row >= self.rows {
            return None;
        }
        let trip = if let Some(void) = self.void.take() {
            void
        } else {
            let mut trip = self.sound_trip();
            self.withhold(&mut trip);
            self.distort(&mut trip);
            trip
        };
        self.row += 1;
        Some(trip)
    }
}

/// Days since Monday; 1970-01-01 was a Thursday.
fn weekday(seconds: i64) -> i64 {
    (seconds.div_euclid(DAY) + 3) % 7
}
