"""What applies to every screen, post and field: each is found by the routes, none is named."""
