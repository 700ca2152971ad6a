select StoreID from SALES
qualify row_number() over (partition by StoreID order by SaleDate) = 1;
