"""What all screens share: the request, its user and device, forms, links and the response."""
