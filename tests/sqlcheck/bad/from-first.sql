-- from-first, line 2
from SALES select StoreID;
