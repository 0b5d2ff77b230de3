/** Whose signature the package cache's paths carry; written by scripts/record-cache.mjs. */
export const packageKey = "terrarium-packages-1:T58m9qTidpUkJp599RQ2YOIpplf+kizR0FCqm6GOmxM=";
