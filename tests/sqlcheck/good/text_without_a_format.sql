select SaleDate::varchar, to_varchar(SaleID) from SALES;
