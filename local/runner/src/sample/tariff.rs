//! What a trip costs: the TLC's tariff of the month, in cents.
use super::random::Random;
use super::trip::{Meter, Money};
use super::zones::{AIRPORTS, JFK, ZONES};
use crate::tlc::{Dataset, Month};

/// The rates in force in a month.
#[derive(Clone, Copy, Debug)]
pub struct Tariff {
    dataset: Dataset,
    flag_drop: i64,
    /// Per fifth of a mile.
    unit: i64,
    jfk_flat: i64,
    overnight: i64,
    rush_hour: i64,
    improvement: i64,
    congestion: i64,
    airport: i64,
    cbd: i64,
}

/// What the fare depends on.
#[derive(Clone, Copy, Debug)]
pub struct Ride {
    pub distance: i64,
    pub seconds: i64,
    pub from: i32,
    pub to: i32,
    /// Hour of the pickup, 0 to 23.
    pub hour: i64,
    pub weekend: bool,
    pub vendor: i64,
    pub by_card: bool,
}

impl Tariff {
    pub fn of(dataset: Dataset, month: Month) -> Self {
        let since = |year, number| Month::new(year, number).is_some_and(|start| month >= start);
        let taxi = matches!(dataset, Dataset::Yellow | Dataset::Green);
        let raised = since(2023, 1);
        let congestion = match dataset {
            Dataset::Yellow => 250,
            Dataset::Green | Dataset::Fhvhv => 275,
            Dataset::Fhv => 0,
        };
        Self {
            dataset,
            flag_drop: if raised { 300 } else { 250 },
            unit: if raised { 70 } else { 50 },
            jfk_flat: if raised { 7_000 } else { 5_200 },
            overnight: if raised { 100 } else { 50 },
            rush_hour: if raised { 250 } else { 100 },
            improvement: match () {
                () if !taxi || !since(2015, 1) => 0,
                () if raised => 100,
                () => 30,
            },
            congestion: if since(2019, 2) { congestion } else { 0 },
            airport: match () {
                () if dataset == Dataset::Green || !since(2020, 11) => 0,
                () if raised => 175,
                () => 125,
            },
            cbd: match () {
                () if !since(2025, 1) => 0,
                () if taxi => 75,
                () => 150,
            },
        }
    }

    /// The rate code a ride is driven at: 2 is the flat fare between JFK and Manhattan.
    pub fn rate_code(random: &mut Random, ride: &Ride) -> i64 {
        let jfk = (ride.from == JFK && ZONES.is_core(ride.to))
            || (ride.to == JFK && ZONES.is_core(ride.from));
        let unknown = if ride.vendor == 1 { 3 } else { 0 };
        match () {
            () if jfk => 2,
            () if ride.to == 1 => 3,
            () => random.pick(&[(978 - unknown, 1), (19, 5), (3, 4), (unknown, 99)]),
        }
    }

    pub fn charge(&self, random: &mut Random, ride: &Ride, meter: Meter) -> Money {
        // A fifth of a mile in motion, or as much for a minute standing.
        let standing = ride.seconds - ride.distance * 36_000 / 1_800;
        let units = (ride.distance + 19) / 20 + standing.max(0) / 60;
        let fare = match meter.rate_code {
            2 => self.jfk_flat,
            5 => random.between(10, 90) * 100,
            _ => self.flag_drop + units * self.unit,
        };
        let extra = match ride.hour {
            20..=23 | 0..=5 => self.overnight,
            16..=19 if !ride.weekend => self.rush_hour,
            _ => 0,
        };
        let core = ZONES.is_core(ride.from) || ZONES.is_core(ride.to);
        let mut money = Money {
            fare,
            extra,
            mta_tax: if meter.rate_code == 5 { 0 } else { 50 },
            tolls: if ride.distance > 800 && random.chance(250) { 655 } else { 0 },
            improvement: self.improvement,
            congestion: if core { self.congestion } else { 0 },
            airport: if AIRPORTS.contains(&ride.from) { self.airport } else { 0 },
            cbd: if core && ZONES.is_core(ride.to) { self.cbd } else { 0 },
            ..Money::default()
        };
        if ride.by_card && random.chance(900) {
            money.tip = money.fare
                * random.quantile(&[
                    (0, 5),
                    (100, 15),
                    (250, 19),
                    (500, 23),
                    (750, 28),
                    (1000, 40),
                ])
                / 100;
        }
        money.total = money.sum_of_parts();
        if ride.vendor == 1 && matches!(self.dataset, Dataset::Yellow | Dataset::Green) {
            self.fold_surcharges(&mut money);
        }
        money
    }

    /// Vendor 1 reports surcharges a second time within `extra`, so its totals are not
    /// the sum of their parts: measured on 92 to 97 % of its rows.
    fn fold_surcharges(&self, money: &mut Money) {
        money.extra += money.congestion + money.cbd;
        if self.dataset == Dataset::Green && self.improvement == 100 {
            money.extra += money.improvement;
        }
    }
}
