"""Learning by triplets of items, for methods that compare items in pairs."""
