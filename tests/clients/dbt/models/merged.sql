{{ config(materialized='incremental', table_type='iceberg', format='parquet', incremental_strategy='merge', unique_key='id') }}
{% if is_incremental() %}
select id, name, amount + 10 as amount from {{ ref('staging') }} where id > 1
union all
select 4 as id, 'd' as name, cast(4 as double) as amount
{% else %}
select id, name, amount from {{ ref('staging') }}
{% endif %}
