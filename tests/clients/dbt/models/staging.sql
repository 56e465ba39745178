{{ config(materialized='view') }}
select id, name, coalesce(amount, 0) as amount from {{ ref('raw') }}
