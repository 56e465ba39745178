//! What a file of each era has in its columns: the header names as the TLC wrote
//! them, and for Parquet the type that each column had that month.
use super::field::Field;
use crate::tlc::{Dataset, Month};

/// The columns of one file.
#[derive(Debug)]
pub struct Layout {
    pub columns: Vec<Column>,
    /// Whether a CSV of this era has an empty second line.
    pub blank_second_line: bool,
    /// Empty fields that a CSV's rows of this era have more than its header.
    pub surplus_fields: usize,
    /// Whether a CSV of this era puts every value in quotes.
    pub quoted: bool,
    /// Whether a CSV of this era writes 2.63 as 2.6299999999999999.
    pub long_decimals: bool,
}

#[derive(Debug)]
pub struct Column {
    /// As in the header, spaces included.
    pub name: &'static str,
    pub field: Field,
    pub kind: Kind,
}

/// A Parquet column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int32,
    Int64,
    Double,
    /// Microseconds without a zone.
    Timestamp,
    Text,
    /// The logical type of a column that was null throughout.
    Null,
}

const YELLOW_2009: &str = "vendor_name,Trip_Pickup_DateTime,Trip_Dropoff_DateTime,Passenger_Count,Trip_Distance,Start_Lon,Start_Lat,Rate_Code,store_and_forward,End_Lon,End_Lat,Payment_Type,Fare_Amt,surcharge,mta_tax,Tip_Amt,Tolls_Amt,Total_Amt";
const YELLOW_2010: &str = "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,pickup_longitude,pickup_latitude,rate_code,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,surcharge,mta_tax,tip_amount,tolls_amount,total_amount";
const YELLOW_2014: &str = "vendor_id, pickup_datetime, dropoff_datetime, passenger_count, trip_distance, pickup_longitude, pickup_latitude, rate_code, store_and_fwd_flag, dropoff_longitude, dropoff_latitude, payment_type, fare_amount, surcharge, mta_tax, tip_amount, tolls_amount, total_amount";
const YELLOW_2015: &str = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,pickup_longitude,pickup_latitude,RateCodeID,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount";
const YELLOW_2015_07: &str = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,pickup_longitude,pickup_latitude,RatecodeID,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount";
const YELLOW_2016_07: &str = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount";
const YELLOW_2019: &str = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount,congestion_surcharge";
const YELLOW_PARQUET: &str = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount,congestion_surcharge,airport_fee";
const YELLOW_PARQUET_2023: &str = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount,congestion_surcharge,Airport_fee";
const YELLOW_PARQUET_2025: &str = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount,congestion_surcharge,Airport_fee,cbd_congestion_fee";
const GREEN_2013: &str = "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,Pickup_longitude,Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Passenger_count,Trip_distance,Fare_amount,Extra,MTA_tax,Tip_amount,Tolls_amount,Ehail_fee,Total_amount,Payment_type,Trip_type ";
const GREEN_2015: &str = "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,Pickup_longitude,Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Passenger_count,Trip_distance,Fare_amount,Extra,MTA_tax,Tip_amount,Tolls_amount,Ehail_fee,improvement_surcharge,Total_amount,Payment_type,Trip_type ";
const GREEN_2016_07: &str = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type";
const GREEN_2019: &str = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type,congestion_surcharge";
const GREEN_PARQUET_2025: &str = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type,congestion_surcharge,cbd_congestion_fee";
const FHV_2015: &str = "Dispatching_base_num,Pickup_date,locationID";
const FHV_2017: &str =
    "Dispatching_base_num,Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID";
const FHV_2017_07: &str =
    "Dispatching_base_num,Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID,SR_Flag";
const FHV_2018: &str = "Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Dispatching_base_number,Dispatching_base_num";
const FHV_2019: &str =
    "dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag";
const FHV_PARQUET: &str = "dispatching_base_num,pickup_datetime,dropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Affiliated_base_number";
const FHVHV_2019: &str = "hvfhs_license_num,dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag";
const FHVHV_PARQUET: &str = "hvfhs_license_num,dispatching_base_num,originating_base_num,request_datetime,on_scene_datetime,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,trip_miles,trip_time,base_passenger_fare,tolls,bcf,sales_tax,congestion_surcharge,airport_fee,tips,driver_pay,shared_request_flag,shared_match_flag,access_a_ride_flag,wav_request_flag,wav_match_flag";
const FHVHV_PARQUET_2025: &str = "hvfhs_license_num,dispatching_base_num,originating_base_num,request_datetime,on_scene_datetime,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,trip_miles,trip_time,base_passenger_fare,tolls,bcf,sales_tax,congestion_surcharge,airport_fee,tips,driver_pay,shared_request_flag,shared_match_flag,access_a_ride_flag,wav_request_flag,wav_match_flag,cbd_congestion_fee";

/// The header in force from a month on, the newest first.
type Era = (i16, i8, &'static str);

const YELLOW_CSV: [Era; 7] = [
    (2019, 1, YELLOW_2019),
    (2016, 7, YELLOW_2016_07),
    (2015, 7, YELLOW_2015_07),
    (2015, 1, YELLOW_2015),
    (2014, 1, YELLOW_2014),
    (2010, 1, YELLOW_2010),
    (2009, 1, YELLOW_2009),
];
const GREEN_CSV: [Era; 4] =
    [(2019, 1, GREEN_2019), (2016, 7, GREEN_2016_07), (2015, 1, GREEN_2015), (2013, 8, GREEN_2013)];
const FHV_CSV: [Era; 5] = [
    (2019, 1, FHV_2019),
    (2018, 1, FHV_2018),
    (2017, 7, FHV_2017_07),
    (2017, 1, FHV_2017),
    (2015, 1, FHV_2015),
];
const FHVHV_CSV: [Era; 1] = [(2019, 2, FHVHV_2019)];
const YELLOW_PARQUETS: [Era; 3] =
    [(2025, 1, YELLOW_PARQUET_2025), (2023, 2, YELLOW_PARQUET_2023), (2011, 1, YELLOW_PARQUET)];
const GREEN_PARQUETS: [Era; 2] = [(2025, 1, GREEN_PARQUET_2025), (2014, 1, GREEN_2019)];
const FHV_PARQUETS: [Era; 1] = [(2015, 1, FHV_PARQUET)];
const FHVHV_PARQUETS: [Era; 2] = [(2025, 1, FHVHV_PARQUET_2025), (2019, 2, FHVHV_PARQUET)];

impl Layout {
    /// The layout of a month's CSV; `None` before the data set's first month.
    pub fn csv(dataset: Dataset, month: Month) -> Option<Self> {
        let eras: &[Era] = match dataset {
            Dataset::Yellow => &YELLOW_CSV,
            Dataset::Green => &GREEN_CSV,
            Dataset::Fhv => &FHV_CSV,
            Dataset::Fhvhv => &FHVHV_CSV,
        };
        let mut layout = Self::in_force(eras, dataset, month)?;
        let within = |from: (i16, i8), to: (i16, i8)| {
            Month::new(from.0, from.1) <= Some(month) && Some(month) <= Month::new(to.0, to.1)
        };
        layout.blank_second_line = match dataset {
            Dataset::Yellow => within((2009, 1), (2014, 12)) || within((2017, 1), (2018, 12)),
            Dataset::Green => within((2013, 8), (2014, 12)) || within((2016, 1), (2018, 12)),
            Dataset::Fhv | Dataset::Fhvhv => false,
        };
        layout.surplus_fields = match dataset {
            Dataset::Yellow if within((2016, 7), (2016, 12)) => 2,
            Dataset::Green if within((2013, 8), (2015, 6)) || within((2016, 7), (2016, 12)) => 2,
            _ => 0,
        };
        layout.quoted = dataset == Dataset::Fhv && within((2017, 7), (2018, 12));
        layout.long_decimals = month.year() == 2009;
        Some(layout)
    }

    /// The layout of a month's Parquet; `None` before its first month with modern names.
    pub fn parquet(dataset: Dataset, month: Month) -> Option<Self> {
        let eras: &[Era] = match dataset {
            Dataset::Yellow => &YELLOW_PARQUETS,
            Dataset::Green => &GREEN_PARQUETS,
            Dataset::Fhv => &FHV_PARQUETS,
            Dataset::Fhvhv => &FHVHV_PARQUETS,
        };
        Self::in_force(eras, dataset, month)
    }

    fn in_force(eras: &[Era], dataset: Dataset, month: Month) -> Option<Self> {
        let (_, _, header) = eras.iter().find(|(year, number, _)| {
            Month::new(*year, *number).is_some_and(|start| start <= month)
        })?;
        let words = header.starts_with("vendor_");
        let column = |name: &'static str| {
            // In 2018 a second column for the base was there, and this one empty.
            let emptied =
                name == "Dispatching_base_num" && header.contains("Dispatching_base_number");
            let field = if emptied { Field::Nothing } else { Field::of(name.trim(), words) };
            Column { name, field, kind: Kind::of(field, dataset, month) }
        };
        let columns = header.split(',').map(column).collect();
        Some(Self {
            columns,
            blank_second_line: false,
            surplus_fields: 0,
            quoted: false,
            long_decimals: false,
        })
    }
}

impl Kind {
    /// facts: section 4b to 4d of the TLC fact sheet; 2023-02 is when codes and ids changed types.
    fn of(field: Field, dataset: Dataset, month: Month) -> Self {
        let since = |year, number| Month::new(year, number).is_some_and(|start| month >= start);
        let modern = since(2023, 2);
        match field {
            Field::Vendor | Field::PickupZone | Field::DropoffZone if modern => Self::Int32,
            // Bases leave zones empty, which made them doubles.
            Field::PickupZone | Field::DropoffZone if dataset == Dataset::Fhv => Self::Double,
            Field::Vendor | Field::PickupZone | Field::DropoffZone | Field::Duration => Self::Int64,
            Field::Passengers | Field::RateCode | Field::TripType if modern => Self::Int64,
            Field::Passengers | Field::RateCode
                if dataset == Dataset::Yellow && !since(2018, 7) =>
            {
                Self::Int64
            }
            Field::Payment if modern || dataset == Dataset::Yellow => Self::Int64,
            Field::Congestion if !since(2019, 1) => Self::Null,
            Field::Airport if dataset == Dataset::Yellow && !since(2020, 11) => Self::Null,
            // ehail_fee, SR_Flag
            Field::Nothing if dataset == Dataset::Green && modern => Self::Double,
            Field::Nothing => Self::Null,
            Field::Pickup | Field::Dropoff | Field::Request | Field::OnScene => Self::Timestamp,
            Field::VendorWord
            | Field::PaymentWord
            | Field::StoreAndForward
            | Field::License
            | Field::Base
            | Field::No => Self::Text,
            Field::Passengers
            | Field::RateCode
            | Field::TripType
            | Field::Payment
            | Field::Distance
            | Field::Longitude { .. }
            | Field::Latitude { .. }
            | Field::Fare
            | Field::Extra
            | Field::MtaTax
            | Field::Tip
            | Field::Tolls
            | Field::Improvement
            | Field::Total
            | Field::Congestion
            | Field::Airport
            | Field::Cbd
            | Field::BlackCarFund
            | Field::SalesTax
            | Field::DriverPay => Self::Double,
        }
    }
}
