-- distinct-on, line 2
select distinct on (StoreID) StoreID, SaleDate
from SALES
order by StoreID, SaleDate;
