//! Everything the statements of one run are made of.

use shared::dataset::Dataset;
use shared::event::RunStatements;
use shared::month::Month;
use shared::s3_uri::S3Uri;
use shared::sql::{Name, Sql, sql};

use crate::file_schema::{FileSchema, Layout};
use crate::mapping::Mapping;
use crate::{audit, conversion, raw_table};

/// How many fields beyond the header of a CSV row are seen. The TLC's files of 2013 to 2016 have two,
/// always empty; a row with the last of these is wider than any, however much more it has.
pub const OVERFLOW_FIELDS: usize = 3;

/// One run.
#[derive(Clone, Debug)]
pub struct RunPlan<'a> {
    pub database: &'a str,
    pub dataset: &'a Dataset,
    pub month: Month,
    /// The file's name, as every row will carry it.
    pub file: &'a str,
    /// The folder that holds the file and nothing else.
    pub source: &'a S3Uri,
    /// The folder for the Parquet files, never used before.
    pub target: &'a S3Uri,
    pub raw_table: String,
    pub stage_table: String,
    pub schema: &'a FileSchema,
    pub mapping: &'a Mapping,
    /// In UTC.
    pub now: jiff::civil::DateTime,
}

/// A column of the raw table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawColumn {
    /// Its name in the raw table.
    pub name: String,
    pub hive_type: Sql,
    /// Its index in the file; none for the fields beyond the header.
    pub index: Option<usize>,
}

impl RunPlan<'_> {
    pub fn statements(&self) -> RunStatements {
        RunStatements {
            create_raw: raw_table::create(self).into(),
            convert: conversion::convert(self).into(),
            audit: audit::audit(self).into(),
        }
    }

    /// The columns of the raw table: of a CSV file all, by their place; of a Parquet file those
    /// that are used and are not all null, by their name.
    pub fn raw_columns(&self) -> Vec<RawColumn> {
        let columns = self.schema.columns.iter().enumerate();
        match self.schema.layout {
            Layout::Named => columns
                .filter(|(index, _)| self.mapping.uses(*index))
                .filter_map(|(index, column)| {
                    let hive_type = column.file_type.hive()?;
                    Some(RawColumn { name: column.key(), hive_type, index: Some(index) })
                })
                .collect(),
            Layout::Positional => {
                let string = || sql("string", &[]);
                let fields = columns.map(|(index, _)| RawColumn {
                    name: format!("c{index}"),
                    hive_type: string(),
                    index: Some(index),
                });
                let overflow = (0..OVERFLOW_FIELDS).map(|number| RawColumn {
                    name: format!("x{number}"),
                    hive_type: string(),
                    index: None,
                });
                fields.chain(overflow).collect()
            }
        }
    }

    /// `"database"."table"`.
    pub fn table(&self, table: &str) -> Sql {
        sql("{}.{}", &[&Name(self.database), &Name(table)])
    }
}
