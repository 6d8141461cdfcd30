-- Undoes it: apps sort what they may see, or name an organization.

drop function public.my_productions(integer, timestamptz, uuid);
drop index public.assets_newest_first;
