-- formatted-text, line 3
select
    to_varchar(SaleDate, 'YYYY-MM') as Month
from SALES;
