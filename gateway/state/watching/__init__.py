"""What is stored for those who watch the gateway: counts, gauges, handhelds seen, and what administrators did."""
