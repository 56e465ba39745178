//! What of a trip a file's column shows.
use super::trip::{Meter, Trip};

/// A column's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Vendor,
    VendorWord,
    Pickup,
    Dropoff,
    Request,
    OnScene,
    Passengers,
    Distance,
    Duration,
    RateCode,
    StoreAndForward,
    PickupZone,
    DropoffZone,
    Longitude { of_pickup: bool },
    Latitude { of_pickup: bool },
    Payment,
    PaymentWord,
    Fare,
    Extra,
    MtaTax,
    Tip,
    Tolls,
    Improvement,
    Total,
    Congestion,
    Airport,
    Cbd,
    TripType,
    License,
    Base,
    BlackCarFund,
    SalesTax,
    DriverPay,
    No,
    Nothing,
}

/// A column's value in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Int(i64),
    Hundredths(i64),
    /// Millionths of a degree.
    Degrees(i64),
    Seconds(i64),
    Word(&'static str),
    Base(i64),
}

impl Field {
    /// Of a column by its name in any era; `words` when codes are words in this file.
    pub fn of(name: &'static str, words: bool) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "vendorid" => Self::Vendor,
            "vendor_name" | "vendor_id" => Self::VendorWord,
            "pickup_date"
            | "pickup_datetime"
            | "trip_pickup_datetime"
            | "tpep_pickup_datetime"
            | "lpep_pickup_datetime" => Self::Pickup,
            "dropoff_datetime"
            | "trip_dropoff_datetime"
            | "tpep_dropoff_datetime"
            | "lpep_dropoff_datetime" => Self::Dropoff,
            "request_datetime" => Self::Request,
            "on_scene_datetime" => Self::OnScene,
            "passenger_count" => Self::Passengers,
            "trip_distance" | "trip_miles" => Self::Distance,
            "trip_time" => Self::Duration,
            "ratecodeid" | "rate_code" => Self::RateCode,
            "store_and_fwd_flag" | "store_and_forward" => Self::StoreAndForward,
            "pulocationid" | "locationid" => Self::PickupZone,
            "dolocationid" => Self::DropoffZone,
            "start_lon" | "pickup_longitude" => Self::Longitude { of_pickup: true },
            "start_lat" | "pickup_latitude" => Self::Latitude { of_pickup: true },
            "end_lon" | "dropoff_longitude" => Self::Longitude { of_pickup: false },
            "end_lat" | "dropoff_latitude" => Self::Latitude { of_pickup: false },
            "payment_type" if words => Self::PaymentWord,
            "payment_type" => Self::Payment,
            "fare_amt" | "fare_amount" | "base_passenger_fare" => Self::Fare,
            "surcharge" | "extra" => Self::Extra,
            "mta_tax" => Self::MtaTax,
            "tip_amt" | "tip_amount" | "tips" => Self::Tip,
            "tolls_amt" | "tolls_amount" | "tolls" => Self::Tolls,
            "improvement_surcharge" => Self::Improvement,
            "total_amt" | "total_amount" => Self::Total,
            "congestion_surcharge" => Self::Congestion,
            "airport_fee" => Self::Airport,
            "cbd_congestion_fee" => Self::Cbd,
            "trip_type" => Self::TripType,
            "hvfhs_license_num" => Self::License,
            "dispatching_base_num"
            | "dispatching_base_number"
            | "originating_base_num"
            | "affiliated_base_number" => Self::Base,
            "bcf" => Self::BlackCarFund,
            "sales_tax" => Self::SalesTax,
            "driver_pay" => Self::DriverPay,
            "shared_request_flag"
            | "shared_match_flag"
            | "access_a_ride_flag"
            | "wav_request_flag"
            | "wav_match_flag" => Self::No,
            _ => Self::Nothing,
        }
    }

    pub fn value(self, trip: &Trip) -> Value {
        let meter = |value: fn(&Meter) -> i64| {
            trip.meter.as_ref().map_or(Value::Null, |meter| Value::Int(value(meter)))
        };
        match self {
            Self::Vendor => Value::Int(trip.vendor),
            Self::VendorWord => Value::Word(if trip.vendor == 1 { "CMT" } else { "VTS" }),
            Self::Pickup => Value::Seconds(trip.pickup),
            Self::Dropoff => Value::Seconds(trip.dropoff),
            Self::Request => Value::Seconds(trip.pickup - 240 - trip.distance % 120),
            Self::OnScene => Value::Seconds(trip.pickup - 30 - trip.distance % 60),
            Self::Passengers => meter(|meter| meter.passengers),
            Self::Distance => Value::Hundredths(trip.distance),
            Self::Duration => Value::Int(trip.seconds()),
            Self::RateCode => meter(|meter| meter.rate_code),
            Self::StoreAndForward => trip.meter.as_ref().map_or(Value::Null, |meter| {
                Value::Word(if meter.store_and_forward { "Y" } else { "N" })
            }),
            Self::PickupZone => Value::Int(trip.pickup_zone.into()),
            Self::DropoffZone => Value::Int(trip.dropoff_zone.into()),
            Self::Longitude { of_pickup } => {
                Value::Degrees(-74_020_000 + Self::spread(trip, of_pickup, 240_000))
            }
            Self::Latitude { of_pickup } => {
                Value::Degrees(40_600_000 + Self::spread(trip, of_pickup, 250_000))
            }
            Self::Payment => trip.payment.map_or(Value::Null, Value::Int),
            Self::PaymentWord => Value::Word(match trip.payment {
                Some(1) => "CRD",
                Some(2) => "CSH",
                Some(3) => "NOC",
                Some(4) => "DIS",
                _ => "UNK",
            }),
            Self::Fare => Value::Hundredths(trip.money.fare),
            Self::Extra => Value::Hundredths(trip.money.extra),
            Self::MtaTax => Value::Hundredths(trip.money.mta_tax),
            Self::Tip => Value::Hundredths(trip.money.tip),
            Self::Tolls => Value::Hundredths(trip.money.tolls),
            Self::Improvement => Value::Hundredths(trip.money.improvement),
            Self::Total => Value::Hundredths(trip.money.total),
            Self::Congestion if trip.meter.is_some() => Value::Hundredths(trip.money.congestion),
            Self::Airport if trip.meter.is_some() => Value::Hundredths(trip.money.airport),
            Self::Congestion | Self::Airport | Self::Nothing => Value::Null,
            Self::Cbd => Value::Hundredths(trip.money.cbd),
            Self::TripType => meter(|meter| if meter.dispatched { 2 } else { 1 }),
            Self::License => Value::Word(if trip.vendor == 5 { "HV0005" } else { "HV0003" }),
            Self::Base => Value::Base(trip.vendor),
            Self::BlackCarFund => Value::Hundredths(trip.money.fare * 275 / 10_000),
            Self::SalesTax => Value::Hundredths(trip.money.fare * 8_875 / 100_000),
            Self::DriverPay => Value::Hundredths(trip.money.fare * 3 / 4),
            Self::No => Value::Word("N"),
        }
    }

    /// Somewhere in the city, the same for the same trip's end.
    fn spread(trip: &Trip, of_pickup: bool, width: i64) -> i64 {
        let (zone, time) = if of_pickup {
            (trip.pickup_zone, trip.pickup)
        } else {
            (trip.dropoff_zone, trip.dropoff)
        };
        (i64::from(zone) * 7_919 + time % 1_000 * 13).rem_euclid(width)
    }
}
