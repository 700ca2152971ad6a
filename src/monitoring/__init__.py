"""Whether the live model still fits the sales: signals with limits, each with the month since when it is breached."""
