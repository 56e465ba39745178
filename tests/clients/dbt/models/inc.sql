{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partitioned_by=['name']) }}
select id, amount, name from {{ ref('staging') }}
{% if is_incremental() %} where id > 1 {% endif %}
