select max_by(Weather, case when Weather is not null then SaleDate end) from SALES;
