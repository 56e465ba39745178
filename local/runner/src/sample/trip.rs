//! A trip as its meter measured it, before any file's layout: whole seconds of
//! the New York wall clock, hundredths of miles, cents.

/// What a vendor hands to the TLC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    pub vendor: i64,
    /// Seconds since 1970-01-01 00:00 on the New York wall clock.
    pub pickup: i64,
    pub dropoff: i64,
    /// Hundredths of a mile.
    pub distance: i64,
    pub pickup_zone: i32,
    pub dropoff_zone: i32,
    pub payment: Option<i64>,
    pub money: Money,
    /// `None` for the rows whose block of columns is null together.
    pub meter: Option<Meter>,
}

/// The block of columns that Flex Fare rows leave null together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    pub passengers: i64,
    pub rate_code: i64,
    pub store_and_forward: bool,
    pub dispatched: bool,
}

/// Cents. A total holds every part that was charged, reported or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Money {
    pub fare: i64,
    pub extra: i64,
    pub mta_tax: i64,
    pub tip: i64,
    pub tolls: i64,
    pub improvement: i64,
    pub congestion: i64,
    pub airport: i64,
    pub cbd: i64,
    pub total: i64,
}

impl Money {
    pub fn sum_of_parts(&self) -> i64 {
        self.fare
            + self.extra
            + self.mta_tax
            + self.tip
            + self.tolls
            + self.improvement
            + self.congestion
            + self.airport
            + self.cbd
    }

    pub fn negated(&self) -> Self {
        Self {
            fare: -self.fare,
            extra: -self.extra,
            mta_tax: -self.mta_tax,
            tip: -self.tip,
            tolls: -self.tolls,
            improvement: -self.improvement,
            congestion: -self.congestion,
            airport: -self.airport,
            cbd: -self.cbd,
            total: -self.total,
        }
    }
}

impl Trip {
    pub fn seconds(&self) -> i64 {
        self.dropoff - self.pickup
    }

    /// The reversal of a trip: the same vendor, times and zones, all money negated.
    pub fn voided(&self) -> Self {
        let payment = self.payment.map(|_| 4);
        Self { payment, money: self.money.negated(), ..self.clone() }
    }
}
