"""What is stored about mail on its way: tickets, posted forms, the send journal, and how much was sent."""
