"""What is kept for whoever watches the gateway: counts, gauges, handhelds seen, and what administrators did."""
