"""What people are owed: who sees their number, what is kept of them, how long, and an extract."""
