-- syntax, line 2
select StoreID, from from SALES where;
