"""What holds for every screen, post and field there is: each is found by the routes, none is named."""
