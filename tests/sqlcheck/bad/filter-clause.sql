-- filter-clause, line 3
select
    sum(Quantity) filter (where Promotion) as Promoted
from SALES;
