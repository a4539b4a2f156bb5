"""What all screens share: the request, its person and device, forms, links and the response."""
