{{ config(materialized='table', format='parquet', partitioned_by=['name']) }}
select count(*) as n, sum(amount) as total, name from {{ ref('staging') }} group by name
