-- null-first, line 4
select
    StoreID,
    max_by(Weather, SaleDate) as Weather
from SALES
group by StoreID;
