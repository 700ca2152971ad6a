-- duckdb-function, line 4
select
    StoreID,
    strftime(SaleDate, '%Y-%m') as Month
from SALES;
